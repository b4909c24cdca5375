import { types } from 'node:util';
import { defineOwn } from './define';
import { MAX_INTEGER_DIGITS, type JsonValue } from './value';

/** Within what every supported Python's own recursion limit lets through, both ways. */
const MAX_DEPTH = 900;

const INTEGER_BOUND = 10n ** BigInt(MAX_INTEGER_DIGITS);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Thrown for a value that can't be carried; never leaves this file. */
class NotCarried extends Error {}

/**
 * What of some globals survives the trip to Python: a new plain object, in the same order. Whatever
 * JSON can't carry takes the whole top-level item that it is in with it.
 *
 * Carried: null, booleans, numbers (NaN, ±Infinity and -0 too), strings, `bigint`s of at most 4300
 * digits, a `Uint8Array` that is valid UTF-8 (as text), arrays without holes, plain objects, wrapper
 * objects, and whatever has a `toJSON` (a `Date`). Left out: undefined, functions, symbols, `Map`,
 * `Set` and instances of other classes, cycles, nesting beyond 900 levels, getters that throw, and
 * the key `__builtins__`. Symbol keys and properties that aren't enumerable are ignored.
 */
export function jsonSafe(globals: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  const safe: Record<string, JsonValue> = {};
  for (const key of Object.keys(globals)) {
    if (key === '__builtins__') {
      continue;
    }
    let value: JsonValue;
    try {
      value = carry(globals[key], key, new Set());
    } catch {
      continue;
    }
    defineOwn(safe, key, value);
  }
  return safe;
}

function carry(value: unknown, key: string, ancestors: Set<object>): JsonValue {
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'string':
      return value;
    case 'bigint':
      if (value >= INTEGER_BOUND || value <= -INTEGER_BOUND) {
        throw new NotCarried();
      }
      return value;
    case 'object':
      return value === null ? null : carryObject(value, key, ancestors);
    default:
      throw new NotCarried();
  }
}

function carryObject(value: object, key: string, ancestors: Set<object>): JsonValue {
  if (types.isUint8Array(value)) {
    return utf8.decode(value);
  }
  if (types.isBoxedPrimitive(value)) {
    return carry(value.valueOf(), key, ancestors);
  }
  if (ancestors.has(value) || ancestors.size >= MAX_DEPTH) {
    throw new NotCarried();
  }
  ancestors.add(value);
  const carried = carryContents(value, key, ancestors);
  ancestors.delete(value);
  return carried;
}

function carryContents(value: object, key: string, ancestors: Set<object>): JsonValue {
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return carry((value as { toJSON(key: string): unknown }).toJSON(key), key, ancestors);
  }
  if (Array.isArray(value)) {
    return carryArray(value, ancestors);
  }
  if (!isPlain(value)) {
    throw new NotCarried();
  }
  const carried: Record<string, JsonValue> = {};
  for (const name of Object.keys(value)) {
    defineOwn(carried, name, carry(value[name], name, ancestors));
  }
  return carried;
}

function carryArray(array: readonly unknown[], ancestors: Set<object>): JsonValue[] {
  const carried: JsonValue[] = [];
  for (let index = 0; index < array.length; index += 1) {
    const item = array[index];
    // Only an object's toJSON is told where it stands.
    carried.push(carry(item, typeof item === 'object' ? String(index) : '', ancestors));
  }
  return carried;
}

/** Plain in any realm: its prototype is null, or a prototype that has none itself. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
