import { spawnSync } from 'node:child_process';
import { nativeParseIsExact } from '../../lib/json/native-scan';
import { parseJson, parseJsonInSlices } from '../../lib/json/parse';
import { ExactReader } from '../../lib/json/reader';
import { JsonSyntaxError } from '../../lib/json/syntax-error';

const MEGABYTE = 1 << 20;

function positionOfError(text: string, maxDepth?: number): number {
  try {
    parseJson(text, maxDepth === undefined ? {} : { maxDepth });
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    return (error as JsonSyntaxError).position;
  }
  throw new Error(`read without an error: ${text.slice(0, 80)}`);
}

describe('parseJson', () => {
  test.each([
    ['null', null],
    [' [1, 2.5, "x", true, false, null] ', [1, 2.5, 'x', true, false, null]],
    ['{"a": {"b": []}, "c": {}}', { a: { b: [] }, c: {} }],
    ['"\\u00e9\\n\\ud83d\\ude00"', 'é\n😀'],
    ['"\\ud800"', '\ud800'],
    [
      '[NaN, "of \\"more\\" than a few characters\\\\"]',
      [NaN, 'of "more" than a few characters\\'],
    ],
    ['-0.0', -0],
    ['1e+16', 1e16],
    ['1e400', Infinity],
  ])('supports %s', (text, value) => {
    expect(parseJson(text)).toStrictEqual(value);
  });

  test('supports the bare tokens that Python writes', () => {
    expect(parseJson('{"a": NaN, "b": [Infinity, -Infinity]}')).toStrictEqual({
      a: NaN,
      b: [Infinity, -Infinity],
    });
  });

  test('supports integers of any size, as bigint beyond 2^53-1', () => {
    expect(parseJson('[9007199254740991, 9007199254740992, -9007199254740993]')).toStrictEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
    ]);
    expect(parseJson('9007199254740992.0')).toBe(2 ** 53);
    expect(parseJson('9'.repeat(4300))).toBe(10n ** 4300n - 1n);
  });

  test('denies an integer of more than 4300 digits', () => {
    expect(positionOfError(`[0, ${'9'.repeat(4301)}]`)).toBe(4);
    expect(positionOfError('9'.repeat(MEGABYTE))).toBe(0);
  });

  test.each(['{"__proto__": {"polluted": 1}}', '{"__proto__": {"polluted": 1}, "n": NaN}'])(
    'supports __proto__ as a key like any other: %s',
    (text) => {
      const value = parseJson(text) as Record<string, unknown>;
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.hasOwn(value, '__proto__')).toBe(true);
      expect(value['polluted']).toBeUndefined();
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  test.each(['{"a": 1, "b": 2, "a": 3}', '{"a": NaN, "b": 2, "a": 3}'])(
    'supports equal keys, the last one wins in the first place: %s',
    (text) => {
      expect(Object.entries(parseJson(text) as object)).toStrictEqual([
        ['a', 3],
        ['b', 2],
      ]);
    },
  );

  test.each([
    ['', 0],
    ['   ', 3],
    ['{', 1],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{"a": 1,}', 8],
    ['{a: 1}', 1],
    ["'a'", 0],
    ['"abc', 0],
    ['"ab\\"', 0],
    ['"a\tb"', 2],
    ['["\\x"]', 1],
    ['["a longer string with \\x"]', 1],
    ['["a longer string\tof two"]', 17],
    ['["a longer string', 1],
    ['["a longer string\\"', 1],
    ['01', 1],
    ['1.', 2],
    ['1e', 2],
    ['-', 1],
    ['.5', 0],
    ['nul', 0],
    ['-NaN', 1],
    ['[1]]', 3],
    ['{}{}', 2],
    ['1\u00a0', 1],
    ['[}', 1],
    ['\ufeff1', 0],
  ])('denies the malformed %j and says where', (text, position) => {
    expect(positionOfError(text)).toBe(position);
  });

  test('denies nesting beyond the bound, allows it up to there', () => {
    const nested = (depth: number, inner = ''): string =>
      '['.repeat(depth) + inner + ']'.repeat(depth);
    expect(() => parseJson(nested(1000))).not.toThrow();
    expect(() => parseJson(nested(1000, 'NaN'))).not.toThrow();
    expect(positionOfError(nested(1001))).toBe(1000);
    expect(positionOfError('{"a":'.repeat(3), 2)).toBe(10);
    expect(() => parseJson(nested(200_000), { maxDepth: 1_000_000 })).not.toThrow();
    expect(() => parseJson(nested(200_000, 'NaN'), { maxDepth: 1_000_000 })).not.toThrow();
  });

  test.each(['', ',"n":NaN'])(
    'denies names beyond the bound, allows them up to there%s',
    (more) => {
      const bound = more === '' ? 2 : 3;
      const read = (text: string): unknown => parseJson(text, { maxNames: bound });
      expect(read(`{"a":1,"b":{"c":1,"d":1,"e":1,"f":1}${more}}`)).toHaveProperty('b.f', 1);
      expect(read(`[{"a":1,"b":2,"c":3,"d":4${more}}]`)).toHaveProperty('0.d', 4);
      expect(read(`{"a":1,"b":2,"a":3,"b":4${more}}`)).toMatchObject({ a: 3, b: 4 });
      expect(() => read(`{"a":1,"b":2${more},"__proto__":3}`)).toThrow(
        `more than ${bound} names at position ${13 + more.length}`,
      );
    },
  );

  test.each([
    ['brackets', () => '['.repeat(16 * MEGABYTE)],
    ['braces', () => '{"":'.repeat(4 * MEGABYTE)],
    ['backslashes', () => `"${'\\'.repeat(16 * MEGABYTE)}`],
    ['escaped quotes', () => `"${'\\"'.repeat(8 * MEGABYTE)}`],
    ['quotes', () => '"'.repeat(16 * MEGABYTE + 1)],
    ['an open string', () => `"${'x'.repeat(16 * MEGABYTE)}`],
    ['a long fraction', () => `[1.${'0'.repeat(16 * MEGABYTE)}`],
    ['minus signs', () => '-'.repeat(16 * MEGABYTE)],
    ['spaces', () => ' '.repeat(16 * MEGABYTE)],
    ['numbers that end early', () => `[${'12345678901234567,'.repeat(MEGABYTE / 2)}`],
  ])('denies 16 MB of %s without a crash or a hang', (_name, text) => {
    positionOfError(text());
  });

  test('reads the same by both ways, and what Python wrote', () => {
    const program = `
import json, random
random.seed(7)
def value(depth):
    kind = random.randrange(9 if depth else 6)
    if kind == 0: return random.choice([None, True, False])
    if kind == 1: return random.randrange(-10**6, 10**6)
    if kind == 2: return random.random() * 10.0 ** random.randrange(-20, 20)
    if kind == 3: return ''.join(chr(random.randrange(0x3000)) for _ in range(random.randrange(9)))
    if kind == 4: return random.randrange(10**15)
    if kind == 5: return '"\\\\' * random.randrange(4)
    if kind < 8: return [value(depth - 1) for _ in range(random.randrange(6))]
    return {str(random.random()): value(depth - 1) for _ in range(4)}
for _ in range(300):
    print(json.dumps(value(5), ensure_ascii=random.random() < 0.5))
`;
    const { stdout } = spawnSync('python3', ['-X', 'utf8', '-c', program], { encoding: 'utf8' });
    const texts = stdout.trimEnd().split('\n');
    expect(texts).toHaveLength(300);
    for (const text of texts) {
      expect(nativeParseIsExact(text, 1000)).toBe(true);
      expect(new ExactReader(text, { maxDepth: 1000 }).read()).toStrictEqual(JSON.parse(text));
    }
  });
});

describe('parseJsonInSlices', () => {
  const LONG = {
    'empty arrays': `[${'[],'.repeat(MEGABYTE)}0]`,
    objects: `[${'{"b":1},'.repeat(MEGABYTE / 2)}0]`,
    integers: `[${'12345678901234567890,'.repeat(MEGABYTE / 4)}0]`,
    names: `{${Array.from({ length: MEGABYTE / 4 }, (_, index) => `"k${index}":NaN`).join(',')}}`,
  };

  test.each(Object.keys(LONG) as (keyof typeof LONG)[])(
    'lets the event loop go on while it reads hundreds of thousands of %s',
    async (name) => {
      let turns = 0;
      const turn = (): void => {
        turns += 1;
        handle = setImmediate(turn);
      };
      let handle = setImmediate(turn);
      const { value } = await parseJsonInSlices(LONG[name]);
      clearImmediate(handle);
      expect(typeof value).toBe('object');
      expect(turns).toBeGreaterThan(5);
    },
  );

  test.each([
    '{"a": [1, NaN, 12345678901234567890]}',
    `["${'x'.repeat(100_000)}", -0.0, {"a": []}]`,
  ])('gives what parseJson gives', async (text) => {
    expect((await parseJsonInSlices(text)).value).toStrictEqual(parseJson(text));
  });

  test('denies names beyond the bound as soon as it reads them', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `"${index}":1,`).join('');
    await expect(parseJsonInSlices(`{${names}malformed`, { maxNames: 3 })).rejects.toThrow(
      'more than 3 names at position 19 ',
    );
  });

  test('denies what parseJson denies, also at the end of a long text', async () => {
    const long = `[${'0,'.repeat(100_000)}`;
    await expect(parseJsonInSlices(long)).rejects.toThrow(JsonSyntaxError);
    await expect(parseJsonInSlices(`${long}0]]`)).rejects.toThrow(JsonSyntaxError);
    await expect(parseJsonInSlices('['.repeat(100_000))).rejects.toThrow('nesting deeper');
  });
});
