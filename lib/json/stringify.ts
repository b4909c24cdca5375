import type { JsonValue } from './value';

/** Far above what `jsonSafe` lets through, far below what overflows the engine's stack. */
const MAX_DEPTH = 1000;

/**
 * Writes JSON for Python's `json.loads`, the inverse of `parseJson`: a `bigint` as digits, NaN and
 * ±Infinity as Python's tokens, -0 as -0.0, a lone surrogate escaped. A number beyond ±(2^53-1)
 * stays a float: the integers out there are `bigint`s.
 *
 * @throws {RangeError} for nesting deeper than 1000 levels, cycles included
 * @throws {TypeError} for what JSON can't carry; `jsonSafe` leaves it out
 */
export function stringifyJson(value: JsonValue): string {
  return isNative(value, 0) ? JSON.stringify(value) : write(value);
}

/** Whether `JSON.stringify` writes the value as `write` would. */
function isNative(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isInteger(value)
        ? Number.isSafeInteger(value) && !Object.is(value, -0)
        : Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) {
    return true;
  }
  if (depth >= MAX_DEPTH) {
    throw new RangeError(`the value is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
  }
  if (Array.isArray(value)) {
    return value.every((item) => isNative(item, depth + 1)) && !hasHoles(value);
  }
  if ('toJSON' in value) {
    return false;
  }
  const object = value as Record<string, unknown>;
  return Object.keys(object).every((key) => isNative(object[key], depth + 1));
}

function hasHoles(array: readonly unknown[]): boolean {
  return array.includes(undefined);
}

function write(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      return writeNumber(value);
    case 'bigint':
      return value.toString();
    case 'object':
      break;
    default:
      throw new TypeError(`JSON can't carry a value of type ${typeof value}`);
  }
  if (value === null) {
    return 'null';
  }
  if (depth >= MAX_DEPTH) {
    throw new RangeError(`the value is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item: unknown) => write(item, depth + 1)).join(',')}]`;
  }
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${write(item, depth + 1)}`,
  );
  return `{${members.join(',')}}`;
}

/** A number as Python reads it: exactly, and never as an integer that it is not. */
export function writeNumber(value: number): string {
  if (!Number.isFinite(value)) {
    return String(value);
  }
  if (Object.is(value, -0)) {
    return '-0.0';
  }
  const text = String(value);
  const readsAsInteger = /^-?\d+$/.test(text);
  return readsAsInteger && !Number.isSafeInteger(value) ? `${text}.0` : text;
}
