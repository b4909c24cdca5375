import { runInNewContext } from 'node:vm';
import { InvalidArgumentError } from '../../lib/errors';
import { jsonSafe } from '../../lib/json/safe';
import { stringifyJson } from '../../lib/json/stringify';

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) {
    value = [value];
  }
  return value;
}

class Point {
  x = 1;
}

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const throwing = new Proxy(
  {},
  {
    ownKeys() {
      throw new Error('no keys');
    },
  },
);

describe('jsonSafe', () => {
  test.each([null, undefined, 'text', 1, true, 1n])('refuses %p, which has no names', (value) => {
    expect(() => jsonSafe(value as unknown as Record<string, unknown>)).toThrow(
      InvalidArgumentError,
    );
  });

  test.each<[string, unknown, unknown]>([
    ['null', null, null],
    ['a number', -1.5, -1.5],
    ['NaN', NaN, NaN],
    ['minus zero', -0, -0],
    ['a bigint', 2n ** 70n, 2n ** 70n],
    ['a bigint of 4300 digits', 10n ** 4300n - 1n, 10n ** 4300n - 1n],
    ['a string with a lone surrogate', '\ud800', '\ud800'],
    ['bytes that are UTF-8', new TextEncoder().encode('é😀'), 'é😀'],
    ['a buffer that is UTF-8', Buffer.from('\ufeffé'), '\ufeffé'],
    ['an array', [1, [Buffer.from('x')]], [1, ['x']]],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a wrapped string', new String('x'), 'x'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['an object of another realm', runInNewContext('({ a: [1] })'), { a: [1] }],
    ['nesting of 900 levels', nested(900), nested(900)],
  ])('carries %s', (_name, value, carried) => {
    expect(jsonSafe({ value })).toStrictEqual({ value: carried });
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['an error', new Error('x')],
    ['an instance of a class', new Point()],
    ['other typed arrays', new Float64Array(2)],
    ['an array with a hole', [1, , 3]], // eslint-disable-line no-sparse-arrays
    ['bytes that are not UTF-8', Buffer.from([0xff])],
    ['a bigint of 4301 digits', -(10n ** 4300n)],
    ['a cycle', cycle],
    ['nesting of 901 levels', nested(901)],
    ['a hundred thousand levels', nested(100_000)],
    ['an undefined deep inside', { a: [{ b: undefined }] }],
    ['a proxy that throws', throwing],
    ['a revoked proxy', revoked.proxy],
    ['a proxy of endless depth', endless()],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error('no');
        },
      },
    ],
  ])('leaves out the whole item for %s, and nothing else', (_name, value) => {
    expect(jsonSafe({ before: 1, value, list: [value], after: 2 })).toStrictEqual({
      before: 1,
      after: 2,
    });
  });

  test('leaves out what a getter that throws would have given', () => {
    const globals = {
      get bad(): never {
        throw new Error('no');
      },
      good: 1,
    };
    expect(jsonSafe(globals)).toStrictEqual({ good: 1 });
  });

  test('leaves out __builtins__ at the top, only there', () => {
    expect(jsonSafe({ __builtins__: 1, a: { __builtins__: 2 } })).toStrictEqual({
      a: { __builtins__: 2 },
    });
  });

  test('carries __proto__ as a key like any other', () => {
    const globals = JSON.parse('{"__proto__": {"a": 1}, "b": {"__proto__": 2}}') as Record<
      string,
      unknown
    >;
    const safe = jsonSafe(globals);
    expect(Object.getPrototypeOf(safe)).toBe(Object.prototype);
    expect(stringifyJson(safe)).toBe('{"__proto__":{"a":1},"b":{"__proto__":2}}');
  });

  test('keeps the order, makes copies and leaves what it was given alone', () => {
    const inner = Object.freeze({ x: Object.freeze([1]) });
    const safe = jsonSafe(Object.freeze({ b: inner, a: 1 }));
    expect(Object.keys(safe)).toStrictEqual(['b', 'a']);
    expect(safe['b']).not.toBe(inner);
    (safe['b'] as { x: number[] }).x.push(2);
    expect(inner.x).toStrictEqual([1]);
  });

  test('carries an object that occurs twice', () => {
    const shared = { a: 1 };
    expect(jsonSafe({ value: [shared, shared] })).toStrictEqual({ value: [{ a: 1 }, { a: 1 }] });
  });
});

function endless(): object {
  return new Proxy([], { get: (_target, name) => (name === 'length' ? 1 : endless()) });
}
