// Many globals, written a slice at a time: what comes is what few are written as.
import fc from 'fast-check';
import { writeGlobalsInSlices } from '../../lib/json/globals-writer';
import { jsonSafe, jsonSafeIfFew } from '../../lib/json/safe';
import { stringifyJson } from '../../lib/json/stringify';
import { encodeInSlices } from '../../lib/json/text-buffers';

async function written(globals: Record<string, unknown>): Promise<string> {
  return Buffer.concat(await writeGlobalsInSlices(globals)).toString();
}

const inOneGo = (globals: Record<string, unknown>): string => stringifyJson(jsonSafe(globals));

const HALF = String.fromCharCode(0xd800);
const circle: unknown[] = [];
circle.push(circle);
let nested: unknown = 1;
for (let depth = 0; depth < 901; depth += 1) {
  nested = [nested];
}

it.each<[string, Record<string, unknown>]>([
  ['nothing', {}],
  ['numbers', { a: [0, -0, 1.5, NaN, Infinity, -Infinity, 1e21, 2 ** 53, -(2 ** 60)] }],
  ['integers', { a: 12_345_678_901_234_567_890n, b: 10n ** 4299n, c: 10n ** 4300n }],
  [
    'texts',
    { 'na"me\n': `a\u0000"\\${HALF}\u{1f600}`, b: Buffer.from('\u4e2d'), c: new String('x') },
  ],
  [
    'what is left out',
    { a: undefined, b: [undefined], c: new Map(), d: circle, e: 1, f: Symbol('s') },
  ],
  [
    'what can not be read',
    {
      a: {
        get x(): never {
          throw new Error('no');
        },
      },
      b: 2,
    },
  ],
  ['bytes that are no text', { a: Buffer.from([0x61, 0xff]), b: Buffer.from([0xe4, 0xb8]), c: 1 }],
  [
    'dates and their like',
    { a: new Date(0), b: [{ toJSON: (key: string) => key }], c: { toJSON: () => undefined } },
  ],
  ['holes', { a: [1, , 3], b: 1 }], // eslint-disable-line no-sparse-arrays -- what is tried
  ['deep lists', { a: nested, b: [[[]]] }],
  [
    'names that are special',
    { __builtins__: 1, ['__proto__x']: 1, constructor: { __builtins__: 2 } },
  ],
  ['a long text', { a: `x${'\u{1f600}'.repeat(20_000)}`, b: HALF.repeat(20_000) }],
  ['long bytes', { a: Buffer.from(`x${'\u4e2d'.repeat(20_000)}`) }],
  ['many', { a: Array.from({ length: 50_000 }, (_item, index) => ({ index, x: [`${index}`] })) }],
])('writes %s as one go does', async (_name, globals) => {
  expect(await written(globals)).toBe(inOneGo(globals));
});

it('writes whatever else as one go does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()),
      async (globals) => {
        expect(await written(globals)).toBe(inOneGo(globals));
      },
    ),
  );
});

it('is for many values, and for long ones', () => {
  expect(jsonSafeIfFew({ a: [1, 'x', { b: 2 }], c: () => 1 })).toEqual({ a: [1, 'x', { b: 2 }] });
  expect(jsonSafeIfFew({ a: new Array(20_000).fill(0) })).toBeUndefined();
  expect(jsonSafeIfFew({ a: 'x'.repeat(1_000_000) })).toBeUndefined();
  expect(jsonSafeIfFew({ a: Buffer.alloc(1_000_000) })).toBeUndefined();
});

it('lets the event loop go on meanwhile', async () => {
  let turns = 0;
  const clock = setInterval(() => {
    turns += 1;
  }, 1);
  await written({ a: new Array(1_000_000).fill(1.5) });
  clearInterval(clock);
  expect(turns).toBeGreaterThan(3);
});

it.each([
  '',
  'a',
  '\u{1f600}'.repeat(100_000),
  `a${'\u{1f600}'.repeat(100_000)}`,
  '\u4e2d'.repeat(200_000),
])('encodes a text and cuts no character', async (text) => {
  expect(Buffer.concat(await encodeInSlices(text)).toString()).toBe(text);
});
