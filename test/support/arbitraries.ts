// Values for properties: what JSON carries between JavaScript and Python, and what it does not.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { JsonValue } from '../../lib/json/value';

/** Compares values that may have a `constructor` of their own, by which Jest would tell their types. */
export function expectSame(value: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(value, expected)) {
    expect(value).toStrictEqual(expected);
    throw new Error('the values differ');
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  // Lone surrogates too.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
);

const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 1, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'toJSON',
      '',
      '0',
      '-1',
      'é',
    ),
  },
);

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, 0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 1e21, 1e-7, 5e-324),
);

const bigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.constantFrom(0n, 2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), 10n ** 4300n - 1n),
);

/** An object of these entries, each an own property whatever its name is. */
function objectOf(entries: [string, JsonValue][]): { [key: string]: JsonValue } {
  const object: { [key: string]: JsonValue } = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

/** All that the trip to Python and back carries. */
export const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    number,
    bigint,
    text,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(objectOf),
  ),
})).value;

/** The same, as the names and values of a program. */
export const jsonGlobals: fc.Arbitrary<{ [key: string]: JsonValue }> = fc
  .array(fc.tuple(key, jsonValue), { maxLength: 20 })
  .map(objectOf);

const throwing = (): object => ({
  get a(): never {
    throw new Error('not to be read');
  },
});

// But for symbols: fast-check itself, and whoever prints a value, asks for them.
function refuse(_target: object, name: string | symbol): boolean {
  if (typeof name === 'symbol') {
    return false;
  }
  throw new RangeError(`not ${name}`);
}

const hostileProxy = (): object =>
  new Proxy(
    {},
    {
      ownKeys: () => {
        throw new RangeError('no keys');
      },
      get: (target, name) => (refuse(target, name) ? name : undefined),
      has: refuse,
    },
  );

/** Whatever JavaScript has, the like of which nobody should pass. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    key,
    maxDepth: 3,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  jsonValue,
  fc.func(fc.anything()),
  fc.constantFrom<unknown>(Symbol('s'), Object.create(null), Promise.resolve(), /x/, Map),
  fc.constant(null).map(throwing),
  fc.constant(null).map(hostileProxy),
);

/**
 * An object with some of these names, each with anything or with what belongs there.
 * @param names with an arbitrary of values that are fine
 */
export function optionsOf(
  names: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(names).map(([name, good]) => [
      name,
      fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: anything }),
    ]),
  );
  return fc.oneof(
    { weight: 8, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 1, arbitrary: anything },
  );
}
