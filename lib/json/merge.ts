import { InvalidArgumentError } from '../errors';
import type { JsonValue } from './value';

/**
 * What Python's `dict.update` does: every item of `result` becomes an own property of `target`, also
 * one called `__proto__`; no setter runs, and what `result` lacks stays. Either all items are set or
 * none is.
 *
 * @throws InvalidArgumentError when `target` is frozen, sealed or has a read-only property of that name
 */
export function updateGlobals(
  target: Record<string, unknown>,
  result: Readonly<Record<string, JsonValue>>,
): void {
  const updates = Object.keys(result).map((key) => [key, descriptor(target, key, result)] as const);
  for (const [key, update] of updates) {
    Object.defineProperty(target, key, update);
  }
}

function descriptor(
  target: object,
  key: string,
  result: Readonly<Record<string, JsonValue>>,
): PropertyDescriptor {
  const value = result[key];
  const existing = Object.getOwnPropertyDescriptor(target, key);
  if (existing === undefined) {
    if (!Object.isExtensible(target)) {
      throw new InvalidArgumentError(
        'globals',
        `can't take the new key ${JSON.stringify(key)}: the object is not extensible`,
      );
    }
  } else if (existing.configurable !== true) {
    if (existing.writable !== true) {
      throw new InvalidArgumentError(
        'globals',
        `can't take a new value for ${JSON.stringify(key)}, which is read-only`,
      );
    }
    return { value };
  }
  return { value, writable: true, enumerable: true, configurable: true };
}
