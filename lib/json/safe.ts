import { types } from 'node:util';
import { InvalidArgumentError } from '../errors';
import { describe } from '../text/describe';
import { defineOwn } from './define';
import { MAX_INTEGER_DIGITS, type JsonValue } from './value';

/** How deep values may be nested: within what every supported Python's own recursion limit lets through, both ways. */
export const MAX_SAFE_DEPTH = 900;

const INTEGER_BOUND = 10n ** BigInt(MAX_INTEGER_DIGITS);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Thrown for a value that can't be carried; never leaves this folder. */
export class NotCarried extends Error {}

/** Whether Python would refuse to read so long an integer. */
export function isTooLong(value: bigint): boolean {
  return value >= INTEGER_BOUND || value <= -INTEGER_BOUND;
}

/** The values that are looked at in one go; more take the event loop for longer than a turn may. */
const FEW_VALUES = 10_000;
/** So much of a text counts as one value. */
const TEXT_LENGTH = 64;

/** One look at some globals. */
class Trip {
  ancestors = new Set<object>();

  /** @param left how many values may still be looked at */
  constructor(private left: number) {}

  get isOver(): boolean {
    return this.left < 0;
  }

  count(values = 1): void {
    this.left -= values;
    if (this.left < 0) {
      throw new NotCarried();
    }
  }
}

/**
 * What of some globals survives the trip to Python: a new plain object, in the same order. Whatever
 * JSON can't carry takes the whole top-level item that it is in with it.
 *
 * Carried: null, booleans, numbers (NaN, ±Infinity and -0 too), strings, `bigint`s of at most 4300
 * digits, a `Uint8Array` that is valid UTF-8 (as text), arrays without holes, plain objects, wrapper
 * objects, and whatever has a `toJSON` (a `Date`). Left out: undefined, functions, symbols, `Map`,
 * `Set` and instances of other classes, cycles, nesting beyond 900 levels, getters that throw, and
 * the key `__builtins__`. Symbol keys and properties that aren't enumerable are ignored.
 * @throws InvalidArgumentError where they are no object
 */
export function jsonSafe(globals: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  // Where it is called from JavaScript.
  if (Object(globals) !== globals) {
    throw new InvalidArgumentError(
      'value',
      `must be an object, not ${describe(globals)}: its keys are the names`,
    );
  }
  return carryGlobals(globals, new Trip(Number.POSITIVE_INFINITY)) ?? {};
}

/** The same where there is little of it; undefined where it is to be done in slices. */
export function jsonSafeIfFew(
  globals: Readonly<Record<string, unknown>>,
): Record<string, JsonValue> | undefined {
  return carryGlobals(globals, new Trip(FEW_VALUES));
}

function carryGlobals(
  globals: Readonly<Record<string, unknown>>,
  trip: Trip,
): Record<string, JsonValue> | undefined {
  const safe: Record<string, JsonValue> = {};
  for (const key of Object.keys(globals)) {
    if (key === '__builtins__') {
      continue;
    }
    let value: JsonValue;
    try {
      trip.ancestors = new Set();
      value = carry(globals[key], key, trip);
    } catch {
      if (trip.isOver) {
        return undefined;
      }
      continue;
    }
    defineOwn(safe, key, value);
  }
  return safe;
}

function carry(value: unknown, key: string, trip: Trip): JsonValue {
  trip.count();
  switch (typeof value) {
    case 'boolean':
    case 'number':
      return value;
    case 'string':
      trip.count(Math.floor(value.length / TEXT_LENGTH));
      return value;
    case 'bigint':
      if (isTooLong(value)) {
        throw new NotCarried();
      }
      return value;
    case 'object':
      return value === null ? null : carryObject(value, key, trip);
    default:
      throw new NotCarried();
  }
}

function carryObject(value: object, key: string, trip: Trip): JsonValue {
  if (types.isUint8Array(value)) {
    trip.count(Math.floor(value.length / TEXT_LENGTH));
    return utf8.decode(value);
  }
  if (types.isBoxedPrimitive(value)) {
    return carry(value.valueOf(), key, trip);
  }
  if (trip.ancestors.has(value) || trip.ancestors.size >= MAX_SAFE_DEPTH) {
    throw new NotCarried();
  }
  trip.ancestors.add(value);
  const carried = carryContents(value, key, trip);
  trip.ancestors.delete(value);
  return carried;
}

function carryContents(value: object, key: string, trip: Trip): JsonValue {
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return carry((value as { toJSON(key: string): unknown }).toJSON(key), key, trip);
  }
  if (Array.isArray(value)) {
    return carryArray(value, trip);
  }
  if (!isPlain(value)) {
    throw new NotCarried();
  }
  const carried: Record<string, JsonValue> = {};
  for (const name of Object.keys(value)) {
    defineOwn(carried, name, carry(value[name], name, trip));
  }
  return carried;
}

function carryArray(array: readonly unknown[], trip: Trip): JsonValue[] {
  const carried: JsonValue[] = [];
  for (let index = 0; index < array.length; index += 1) {
    const item = array[index];
    // Only an object's toJSON is told where it stands.
    carried.push(carry(item, typeof item === 'object' ? String(index) : '', trip));
  }
  return carried;
}

/** Plain in any realm: its prototype is null, or a prototype that has none itself. */
export function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
