// A text read in pieces gives what it gives at once, wherever the pieces end.
import { checkJsonObject, parseJson, parseJsonInSlices } from '../../lib/json/parse';
import { BytePieces, KeptPieces, type Pieces } from '../../lib/json/pieces';
import { ExactReader } from '../../lib/json/reader';
import { JsonSyntaxError } from '../../lib/json/syntax-error';
import { isJsonObject, type JsonValue } from '../../lib/json/value';

const SEED = Number(process.env['CODEJAIL_TEST_SEED'] ?? 20261129);
const KILO = 1024;

/** Numbers from 0 up to, but not, the bound, the same in each run. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    // Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

type Random = ReturnType<typeof randomOf>;

const SCALARS = [
  ...['null', 'true', 'false', 'NaN', 'Infinity', '-Infinity', '0', '-0', '-0.0', '17', '-1.5e-7'],
  ...['1e400', '9007199254740991', '9007199254740992', '-9007199254740993', '9'.repeat(4300)],
  ...[
    '""',
    '"a"',
    '"of twelve ch"',
    '"of thirteen c"',
    '"\\ud800"',
    '"\\udc00\\ud83d"',
    '"\\u0000\\"\\\\"',
  ],
  ...['"\u00e9\u4e2d\u{1f600}"', '"\u2028"', '"\ud800"'],
];
const NAMES = [
  '"__proto__"',
  '"constructor"',
  '"0"',
  '"4294967295"',
  '"-1"',
  '""',
  '"a"',
  '"b"',
  '"\\u0061"',
];
const SPACES = [...Array<string>(60).fill(''), ' ', '\n\t', ' '.repeat(200_000)];

function longString(random: Random): string {
  const unit =
    ['x', '\\"', '\\\\', '\\u00e9', '\\ud83d\\ude00', '\u00e9', '\u{1f600}', 'plain text \\n'][
      random(8)
    ] ?? '';
  return `"${'y'.repeat(random(8))}${unit.repeat(random(random(10) === 0 ? 50_000 : 50))}"`;
}

function textOf(random: Random, depth: number): string {
  const kind = random(depth === 0 ? 8 : 12);
  const space = SPACES[random(SPACES.length)] ?? '';
  if (kind < 7) {
    return `${space}${SCALARS[random(SCALARS.length)] ?? ''}`;
  }
  if (kind === 7) {
    return longString(random);
  }
  const items = Array.from({ length: random(12) }, () => textOf(random, depth - 1));
  return kind < 10
    ? `[${space}${items.join(',')}${space}]`
    : `{${items.map((item) => `${NAMES[random(NAMES.length)] ?? ''}${space}:${item}`).join(`${space},`)}}`;
}

class RandomPieces implements Pieces {
  #index = 0;

  constructor(
    private readonly text: string,
    private readonly random: Random,
  ) {}

  next(): string | undefined {
    const start = this.#index;
    this.#index += 1 + this.random(this.random(2) === 0 ? 8 : 200_000);
    return start < this.text.length ? this.text.slice(start, this.#index) : undefined;
  }
}

/** All that there is of a value, the order of names and the kinds of numbers too. */
function spelled(value: JsonValue): string {
  if (Array.isArray(value)) {
    return `[${value.map(spelled).join()}]`;
  }
  if (isJsonObject(value)) {
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    return `{${Object.entries(value)
      .map(([name, item]) => `${JSON.stringify(name)}:${spelled(item)}`)
      .join()}}`;
  }
  if (typeof value === 'bigint') {
    return `${value}n`;
  }
  return Object.is(value, -0)
    ? '-0'
    : typeof value === 'string'
      ? JSON.stringify(value)
      : String(value);
}

/** What `read` gives, or what it says. */
function outcomeOf(read: () => JsonValue): string {
  try {
    return spelled(read());
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    return (error as Error).message;
  }
}

describe(`a text in pieces (CODEJAIL_TEST_SEED=${SEED})`, () => {
  const random = randomOf(SEED);
  const texts = Array.from(
    { length: 60 },
    () => `[${textOf(random, 3)},${longString(random)},${textOf(random, 3)}]`,
  );

  it('gives what the whole gives', () => {
    for (const text of texts) {
      const whole = spelled(new ExactReader(text, { maxDepth: 1000 }).read());
      const pieces = new RandomPieces(text, random);
      const read = spelled(new ExactReader(pieces, { maxDepth: 1000 }).read());
      // Not by Jest, which would spell out megabytes.
      expect(read === whole).toBe(true);
      expect(spelled(parseJson(text)) === whole).toBe(true);
    }
  });

  it('is malformed where the whole is, and for the same reason', () => {
    for (const text of texts) {
      const at = random(text.length);
      const broken =
        random(2) === 0
          ? text.slice(0, at)
          : `${text.slice(0, at)}${['"', '\\', ',', ']', '}', '\u0001', 'e', '0'][random(8)] ?? ''}${text.slice(at + 1)}`;
      const pieces = new RandomPieces(broken, random);
      const read = outcomeOf(() => new ExactReader(pieces, { maxDepth: 1000 }).read());
      expect(read === outcomeOf(() => new ExactReader(broken, { maxDepth: 1000 }).read())).toBe(
        true,
      );
    }
  });

  it('gives what JSON.parse gives, of what both read alike', async () => {
    const rows = Array.from({ length: 4000 }, (_, index) => ({
      name: `row ${index} \u00e9\u{1f600}"\\`,
      ...{ index, half: index / 2, deep: [[index], {}, []], [`k${index % 7}`]: null },
    }));
    const text = JSON.stringify({ rows, text: '\u4e2d'.repeat(300_000) });
    const bytes = Buffer.from(text);
    const kept = new KeptPieces(new BytePieces(bytes));
    const { value, names } = await parseJsonInSlices(kept);
    expect(spelled(value) === spelled(JSON.parse(text) as JsonValue)).toBe(true);
    expect(names).toEqual(['rows', 'text']);
    expect(kept.text === text).toBe(true);
    expect(await checkJsonObject(new BytePieces(bytes))).toBe(true);
  });

  it('keeps the names of an object, each once', async () => {
    const names = Array.from({ length: 9000 }, (_, index) => `a name ${index % 7000}`);
    const read = await parseJsonInSlices(`{${names.map((name) => `"${name}":1`).join(',')}}`);
    expect(read.names).toEqual(Object.keys(read.value as object));
  });
});

describe('bounds of a long text', () => {
  const PADDING = ' '.repeat(100 * KILO);
  const read = async (text: string, options: object): Promise<unknown> =>
    (await parseJsonInSlices(`${PADDING}${text}`, options)).value;

  it.each([
    [
      'items of one list',
      { maxItems: 2 },
      '[[1,2],[3,4]]',
      '[1,2,3]',
      'more than 2 items in one list',
    ],
    [
      'names of an inner object',
      { maxInnerNames: 2 },
      '{"a":{"b":1,"c":1,"b":2},"d":1,"e":1}',
      '[{"a":1,"b":1,"c":1}]',
      'more than 2 names in one object',
    ],
    [
      'lists and objects',
      { maxContainers: 3 },
      '[[],{}]',
      '[[],{},[]]',
      'more than 3 lists and objects',
    ],
  ])('%s are as many as are told', async (_name, options, within, over, problem) => {
    expect(await read(within, options)).toStrictEqual(JSON.parse(within));
    await expect(read(over, options)).rejects.toThrow(problem);
  });

  it('a number has 65536 characters at most', async () => {
    expect(await read(`[1.${'0'.repeat(65_534)}]`, {})).toEqual([1]);
    await expect(read(`[1.${'0'.repeat(65_535)}]`, {})).rejects.toThrow(
      'number of more than 65536 characters',
    );
    await expect(read(`[${'0.1'.padEnd(300_000, '0')}]`, {})).rejects.toThrow(
      'number of more than 65536 characters',
    );
  });

  it('a name has a megabyte at most, a string any number', async () => {
    const long = 'x'.repeat(1 << 20);
    expect(await read(`{"${long}":"${long}${long}"}`, {})).toStrictEqual({
      [long]: `${long}${long}`,
    });
    await expect(read(`{"${long}${'x'.repeat(20_000)}":1}`, {})).rejects.toThrow(
      'a name of more than 1048576 characters',
    );
  });

  it('only checked, a text may have any number of names, items and lists', async () => {
    const text = `{"a":[${'[],'.repeat(1_100_000)}0]}`;
    expect(await checkJsonObject(text)).toBe(true);
    expect(await checkJsonObject(`${PADDING}[]`)).toBe(false);
    await expect(checkJsonObject(`${PADDING}{"a":"\\x"}`)).rejects.toThrow('invalid escape');
    await expect(checkJsonObject(`${PADDING}{"a":${'9'.repeat(4301)}}`)).rejects.toThrow('digits');
  });

  it.each([0, 1, 2, 3, 60_000, 131_070, 131_071, 131_072, 131_073, 400_000])(
    'bytes that are no UTF-8 are told, at %i',
    async (at) => {
      const bytes = Buffer.concat([
        Buffer.from(`"${'x'.repeat(at)}`),
        Buffer.from([0xc3]),
        Buffer.from(`${'x'.repeat(150_000)}"`),
      ]);
      await expect(parseJsonInSlices(new BytePieces(bytes))).rejects.toThrow('not UTF-8');
    },
  );
});
