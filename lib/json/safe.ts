// CodeJail's json_safe: what of an object of globals can make the trip.
import { types } from 'node:util';
import { MAX_DIGITS, setOwn, type JsonValue } from './parse';

/** Below what Python's own JSON decoder takes, whatever its recursion limit. */
const MAX_DEPTH = 900;

// Thrown for a value that JSON can't carry; the whole top-level item is dropped then.
class NotCarried extends Error {}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const HUGE = 10n ** BigInt(MAX_DIGITS);

class Copier {
  readonly #ancestors = new Set<object>();

  copy(value: unknown, key: string): JsonValue {
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'number':
        return value;
      case 'bigint':
        if (value >= HUGE || value <= -HUGE) {
          throw new NotCarried();
        }
        return value;
      case 'object':
        return value === null ? null : this.#copyObject(value, key);
      default:
        throw new NotCarried();
    }
  }

  #copyObject(value: object, key: string): JsonValue {
    if (types.isUint8Array(value)) {
      return decoder.decode(value);
    }
    if (this.#ancestors.has(value) || this.#ancestors.size >= MAX_DEPTH) {
      throw new NotCarried();
    }
    this.#ancestors.add(value);
    try {
      const toJson: unknown = (value as { toJSON?: unknown }).toJSON;
      if (typeof toJson === 'function') {
        return this.copy(toJson.call(value, key), key);
      }
      if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return this.copy(value.valueOf(), key);
      }
      return Array.isArray(value) ? this.#copyArray(value) : this.#copyRecord(value);
    } finally {
      this.#ancestors.delete(value);
    }
  }

  #copyArray(value: readonly unknown[]): JsonValue[] {
    // A hole reads as undefined, which can't be carried.
    return Array.from(value, (item, index) => this.copy(item, String(index)));
  }

  #copyRecord(value: object): JsonValue {
    if (
      types.isMap(value) ||
      types.isSet(value) ||
      types.isPromise(value) ||
      types.isRegExp(value) ||
      types.isWeakMap(value) ||
      types.isWeakSet(value) ||
      ArrayBuffer.isView(value) ||
      types.isAnyArrayBuffer(value)
    ) {
      throw new NotCarried();
    }
    const copy: { [key: string]: JsonValue } = {};
    for (const key of Object.keys(value)) {
      setOwn(copy, key, this.copy((value as Record<string, unknown>)[key], key));
    }
    return copy;
  }
}

/**
 * A copy of `globals` with what can be carried. One value that can't be (undefined, a function, a Map,
 * a cycle, bytes that are not UTF-8, a getter that throws) drops the whole top-level item that it is
 * in, as CodeJail's json_safe does. Bytes become text; `__builtins__` is dropped.
 */
export function jsonSafe(globals: Record<string, unknown>): { [key: string]: JsonValue } {
  const safe: { [key: string]: JsonValue } = {};
  for (const key of Object.keys(globals)) {
    if (key === '__builtins__') {
      continue;
    }
    try {
      setOwn(safe, key, new Copier().copy(globals[key], key));
    } catch {
      // Left out. Whatever a getter, a toJSON or a Proxy throws means the same: it can't be carried.
    }
  }
  return safe;
}
