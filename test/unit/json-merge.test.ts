import { updateGlobals } from '../../lib/json/merge';
import { parseJson } from '../../lib/json/parse';
import type { JsonValue } from '../../lib/json/value';

describe('updateGlobals', () => {
  test('overwrites, adds, and keeps what the result lacks', () => {
    const target: Record<string, unknown> = { a: 1, kept: Math.max };
    updateGlobals(target, { a: 2, b: 3n });
    expect(target).toStrictEqual({ a: 2, kept: Math.max, b: 3n });
  });

  test('denies a hostile __proto__ any effect', () => {
    const target: Record<string, unknown> = {};
    updateGlobals(target, parseJson('{"__proto__": {"admin": true}}') as Record<string, JsonValue>);
    expect(target['admin']).toBeUndefined();
    expect(Object.getPrototypeOf(target)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(target, '__proto__')?.value).toStrictEqual({
      admin: true,
    });
  });

  test('runs no setter', () => {
    const set = jest.fn();
    const target: Record<string, unknown> = Object.create({
      set inherited(value: unknown) {
        set(value);
      },
    }) as Record<string, unknown>;
    Object.defineProperty(target, 'own', { set, configurable: true, enumerable: true });
    updateGlobals(target, { own: 1, inherited: 2 });
    expect(set).not.toHaveBeenCalled();
    expect({ ...target }).toStrictEqual({ own: 1, inherited: 2 });
  });

  test('supports sealed globals that have every key already', () => {
    const target: Record<string, unknown> = Object.seal({ a: 1 });
    updateGlobals(target, { a: 2 });
    expect(target).toStrictEqual({ a: 2 });
  });

  test.each<[string, Record<string, unknown>]>([
    ['frozen', Object.freeze({ a: 1, b: 1 })],
    ['not extensible', Object.preventExtensions({ a: 1 })],
  ])('denies globals that are %s, and then changes nothing', (_name, target) => {
    const before = { ...target };
    expect(() => {
      updateGlobals(target, { a: 2, b: 2 });
    }).toThrow(/^globals can't take (the new key "b"|a new value for "a", which is read-only)/);
    expect({ ...target }).toStrictEqual(before);
  });
});
