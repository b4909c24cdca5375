import { InvalidArgumentError } from '../errors';
import { Budget } from '../time/budget';
import type { JsonValue } from './value';

/** Updated at once. More take longer than a turn of the event loop may. */
const FEW_NAMES = 4096;
const SLICE_NAMES = 256;

type Result = Readonly<Record<string, JsonValue>>;

/**
 * What Python's `dict.update` does: every item of `result` becomes an own property of `target`, also
 * one called `__proto__`; no setter runs, and what `result` lacks stays. Either all items are set or
 * none is.
 * @param names those of `result`
 * @throws InvalidArgumentError when `target` is frozen, sealed or has a read-only property of that name
 */
export function updateGlobals(
  target: Record<string, unknown>,
  result: Result,
  names: readonly string[] = Object.keys(result),
): void {
  const updates = names.map((key) => descriptor(target, key, result));
  for (const [index, key] of names.entries()) {
    Object.defineProperty(target, key, updates[index] as PropertyDescriptor);
  }
}

/**
 * As `updateGlobals`; of more than 4,096 names in several turns of the event loop, all of them looked at before the first
 * is set.
 */
export async function updateGlobalsInSlices(
  target: Record<string, unknown>,
  result: Result,
  names: readonly string[],
): Promise<void> {
  if (names.length <= FEW_NAMES) {
    updateGlobals(target, result, names);
    return;
  }
  const budget = new Budget();
  const updates: PropertyDescriptor[] = [];
  for (const key of names) {
    updates.push(descriptor(target, key, result));
    if (updates.length % SLICE_NAMES === 0 && budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  for (const [index, update] of updates.entries()) {
    Object.defineProperty(target, names[index] as string, update);
    if (index % SLICE_NAMES === 0 && budget.isSpent()) {
      await budget.nextTurn();
    }
  }
}

function descriptor(target: object, key: string, result: Result): PropertyDescriptor {
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
