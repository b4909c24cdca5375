// JSON as Python's json.loads reads it: the inverse of parseJson.
import type { JsonValue } from './parse';

function encodeNumber(value: number): string {
  if (Object.is(value, -0)) {
    return '-0.0';
  }
  if (Number.isFinite(value)) {
    return String(value);
  }
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function isPlain(value: JsonValue): boolean {
  const pending: JsonValue[] = [value];
  for (;;) {
    const item = pending.pop();
    if (item === undefined) {
      return true;
    }
    if (typeof item === 'bigint') {
      return false;
    }
    if (typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0))) {
      return false;
    }
    if (typeof item === 'object' && item !== null) {
      for (const child of Array.isArray(item) ? item : Object.values(item)) {
        pending.push(child);
      }
    }
  }
}

function encode(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return encodeNumber(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return String(value);
    default:
      if (value === null) {
        return 'null';
      }
      return Array.isArray(value)
        ? `[${value.map(encode).join(',')}]`
        : `{${Object.entries(value)
            .map(([key, item]) => `${JSON.stringify(key)}:${encode(item)}`)
            .join(',')}}`;
  }
}

/**
 * The text of a value that `jsonSafe` or `parseJson` gave: bigint as digits, -0 as `-0.0`, NaN and the
 * infinities as Python spells them.
 */
export function stringifyJson(value: JsonValue): string {
  return isPlain(value) ? JSON.stringify(value) : encode(value);
}
