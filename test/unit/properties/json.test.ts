// What holds of JSON for every value and every text.
import fc from 'fast-check';
import { parseJson, parseJsonInSlices } from '../../../lib/json/parse';
import { jsonSafe } from '../../../lib/json/safe';
import { stringifyJson } from '../../../lib/json/stringify';
import { JsonSyntaxError } from '../../../lib/json/syntax-error';
import { MAX_INTEGER_DIGITS, type JsonValue } from '../../../lib/json/value';
import { anything, expectSame, jsonGlobals, jsonValue } from '../../support/arbitraries';

jest.setTimeout(120_000);

/** As Python gives it back: it has one kind of integers. */
function asRead(value: JsonValue): JsonValue {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (Array.isArray(value)) {
    return value.map(asRead);
  }
  if (typeof value === 'object' && value !== null) {
    const read: { [key: string]: JsonValue } = {};
    for (const key of Object.keys(value)) {
      Object.defineProperty(read, key, {
        value: asRead(value[key]!),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return read;
  }
  return value;
}

const jsonText = fc.oneof(
  jsonValue.map(stringifyJson),
  fc.json(),
  // Nearly JSON.
  fc
    .tuple(jsonValue.map(stringifyJson), fc.nat(), fc.string({ maxLength: 3 }))
    .map(([text, at, middle]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + middle + text.slice(place + middle.length);
    }),
  fc
    .array(
      fc.constantFrom(
        '[',
        ']',
        '{',
        '}',
        ',',
        ':',
        '"a"',
        '1',
        '-',
        '1e5',
        'NaN',
        ' ',
        '\\',
        '"',
        'null',
      ),
    )
    .map((words) => words.join('')),
);

it('reads what it has written', () => {
  fc.assert(
    fc.property(jsonValue, (value) => {
      expectSame(parseJson(stringifyJson(value)), asRead(value));
    }),
    { numRuns: 1000 },
  );
});

it('takes a text, or says by its own error what is wrong, in slices as at once', async () => {
  const read = async (action: () => JsonValue | Promise<JsonValue>): Promise<unknown> => {
    try {
      return { value: await action() };
    } catch (error) {
      expect(error).toBeInstanceOf(JsonSyntaxError);
      return { error: (error as Error).message };
    }
  };
  await fc.assert(
    fc.asyncProperty(jsonText, fc.boolean(), async (text, isLong) => {
      // Only a long text is read in slices.
      const padded = isLong ? text + ' '.repeat(70_000) : text;
      const atOnce = await read(() => parseJson(padded));
      expect(await read(async () => (await parseJsonInSlices(padded)).value)).toEqual(atOnce);
    }),
    { numRuns: 1000 },
  );
});

it('takes every text that JavaScript takes, with the same value but for large integers', () => {
  const hasLargeNumber = new RegExp(`\\d{16,${MAX_INTEGER_DIGITS}}|-0`);
  fc.assert(
    fc.property(jsonText, (text) => {
      let native: unknown;
      try {
        native = JSON.parse(text);
      } catch {
        return;
      }
      fc.pre(!hasLargeNumber.test(text));
      expectSame(parseJson(text), native);
    }),
    { numRuns: 1000 },
  );
});

it('leaves out of globals what it can not carry, whatever they are, and nothing of the rest', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), anything), (globals) => {
      const safe = jsonSafe(globals);
      expectSame(jsonSafe(safe), safe);
      expectSame(parseJson(stringifyJson(safe)), asRead(safe));
    }),
    { numRuns: 1000 },
  );
});

it('keeps all of the globals that it can carry', () => {
  fc.assert(
    fc.property(jsonGlobals, (globals) => {
      // An own toJSON of text is no method, and no hole is in them.
      expectSame(jsonSafe(globals), globals);
    }),
    { numRuns: 1000 },
  );
});
