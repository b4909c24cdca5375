// Python's dict.update, for globals.
import { types } from 'node:util';
import type { JsonValue } from './parse';

/**
 * Sets each key of `result` on `target` as an own, plain property: no setter runs, and `__proto__` is
 * a key like any other. Keys that `result` lacks stay.
 * @throws TypeError where `target` is frozen
 */
export function updateGlobals(
  target: Record<string, unknown>,
  result: { readonly [key: string]: JsonValue },
): void {
  for (const key of Object.keys(result)) {
    const own = types.isProxy(target) ? undefined : Object.getOwnPropertyDescriptor(target, key);
    Object.defineProperty(target, key, {
      value: result[key],
      writable: true,
      enumerable: own?.enumerable ?? true,
      configurable: own?.configurable ?? true,
    });
  }
}
