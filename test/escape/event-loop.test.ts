// Neither what a program sends back nor what a caller gives holds the server's event loop: no turn takes more than 20 ms of processor time, of the
// loop's own thread, on the machine of docs/performance.md. How fast this one is at the moment is measured beside it.
import type { JailCodeOptions } from '../../lib/index';
import { expectTurnsWithin } from '../support/turns';
import { useAttackedJail } from './attack';

const attacked = useAttackedJail();

/** An object of as many names as are taken. */
const STEP = `{${Array.from({ length: 80_000 }, (_item, index) => `"k${index}":0`).join(',')}}`;
const LIMITS = { realtime: 100, cpu: 60, memory: 1 << 30, fsize: 1 };
jest.setTimeout(240_000);

const expectShortTurns = async (work: () => Promise<unknown>): Promise<void> =>
  expectTurnsWithin(work, { step: STEP, attempts: 12 });

/** Python that ends with this on the result channel, and nothing else. */
function answer(expression: string, status = 0): string {
  return [
    'import os',
    `data = memoryview(${expression})`,
    'while data: data = data[os.write(4, data):]',
    `os._exit(${status})`,
  ].join('\n');
}

const RESULTS: Record<string, string> = {
  'one string': 'a = "x" * (16777216 - 20)',
  'one string of escapes': 'a = chr(34) * (8388608 - 20)',
  'one string of another script': answer(`b'G{"a":"' + "\\u4e2d".encode() * 5_592_000 + b'"}'`),
  'a string that is never closed': answer(`b'G{"a":"' + b'x' * 16_777_000`),
  'as many names as may be': 'for i in range(79_990): globals()["k%d" % i] = 0',
  'more names than are taken': answer(
    `b'G{' + b','.join(b'"k%d":1' % i for i in range(1_250_000)) + b'}'`,
  ),
  'as many long names as may be': answer(
    `b'G{' + b','.join(b'"%0200d":0' % i for i in range(80_000)) + b'}'`,
  ),
  'one very long name': answer(`b'G{"' + b'x' * 16_000_000 + b'":1}'`),
  'names that are numbers': answer(
    `b'G{"a":{' + b','.join(b'"%d":1' % (i * 4096) for i in range(80_000)) + b'}}'`,
  ),
  'one dictionary': 'd = {"_%05x" % i: 0 for i in range(1_150_000)}',
  'dictionaries as large as may be': 'd = [{"_%05x" % i: 0 for i in range(80_000)}] * 14',
  'nested lists': 'x = []\nfor i in range(880): x = [x]\na = [x] * 9000',
  'as many nested lists as may be': 'x = []\nfor i in range(880): x = [x]\na = [x] * 226',
  'nested dictionaries': 'x = {}\nfor i in range(880): x = {"a": x}\na = [x] * 2500',
  'lists of one': answer(`b'G{"a":[' + b'[1],' * 199_990 + b'1]}'`),
  'more lists than are taken': answer(`b'G{"a":[' + b'[1],' * 900_000 + b'1]}'`),
  'dictionaries of one': answer(`b'G{"a":[' + b'{"a":1},' * 199_990 + b'1]}'`),
  'one list': answer(`b'G{"a":[' + b'1,' * 499_990 + b'1]}'`),
  'one list that is too long': answer(`b'G{"a":[' + b'1,' * 7_000_000 + b'1]}'`),
  'short strings': answer(`b'G{"a":[' + (b'[' + b'"ab",' * 499_990 + b'1],') * 6 + b'1]}'`),
  'numbers with fractions': answer(`b'G{"a":[' + (b'[' + b'1.5,' * 499_990 + b'1],') * 8 + b'1]}'`),
  'long integers': answer(`b'G{"a":[' + (b'9' * 4300 + b',') * 3900 + b'1]}'`),
  'integers beyond 2^53': answer(
    `b'G{"a":[' + (b'[' + b'12345678901234567890,' * 395_000 + b'1],') * 2 + b'1]}'`,
  ),
  'a long number': answer(`b'G{"a":1.' + b'0' * 16_000_000 + b'}'`),
  spaces: answer(`b'G' + b' ' * 16_777_000 + b'{}'`),
  brackets: answer(`b'G{"a":' + b'[' * 16_000_000`),
  'bytes that are no text': answer(`b'G{"a":"' + b'x' * 16_000_000 + b'\\xff"}'`),
  'an exception': answer(
    `b'E{"type":"E","message":"' + b'x' * 8_000_000 + b'","traceback":"' + b'\\\\n' * 4_000_000 + b'"}'`,
    1,
  ),
  'an exception of a million names': answer(
    `b'E{' + b','.join(b'"k%d":1' % i for i in range(1_250_000)) + b'}'`,
    1,
  ),
  'a message of escapes': 'raise ValueError(chr(34) * 10_000_000)',
};

const DEEP = [
  'import os',
  'os.chdir("tmp")',
  'for i in range(14): os.mkdir("a" * 250); os.chdir("a" * 250)',
  'k = 0',
  'try:',
  '    while True: open("%04d" % k + "a" * 246, "w").close(); k += 1',
  'except OSError: pass',
].join('\n');
const MANY = 'for i in range(30_000): open("tmp/%d" % i, "w").close()';

const COLLECTED: Record<string, [code: string, collect: string[]]> = {
  'a deep tree': [DEEP, ['**/*.csv', '**/*.png', '*/*/*a*a*a*b']],
  'a deep tree, all of it': [DEEP, ['**']],
  'many files': [MANY, ['**']],
  'one large file': ['with open("tmp/a", "w") as f: f.write("x" * 16_777_000)', ['*']],
};

describe('the event loop goes on while there is collected of', () => {
  it.each(Object.keys(COLLECTED))('%s', async (name) => {
    const [code, collect] = COLLECTED[name] ?? ['', []];
    const limits = { ...LIMITS, fsize: 1 << 25, disk: 1 << 30, files: 40_000 };
    await expectShortTurns(async () => attacked.jail.jailCode('python', { code, collect, limits }));
  });
});

const PRINTED: Record<string, string> = {
  'one write of 16 MiB':
    'import os\nd = memoryview(b"x" * 16_777_000)\nwhile d: d = d[os.write(1, d):]',
  'single bytes': 'import os\nfor i in range(300_000): os.write(1, b"x")',
  'what is spelled out in an error':
    'import os\nos.write(1, bytes(60_000)); os.write(2, bytes(60_000))\nos._exit(1)',
};

describe('the event loop goes on while a program prints', () => {
  it.each(Object.keys(PRINTED))('%s', async (name) => {
    const code = PRINTED[name] ?? '';
    await expectShortTurns(async () => {
      await attacked.jail.jailCode('python', { code, limits: LIMITS, onStdout: () => undefined });
      await attacked.jail.safeExec(code, {}, { limits: LIMITS }).catch(() => undefined);
    });
  });
});

/** Globals of some 16 MB, as JSON. */
const TEXTS: Record<string, () => string> = {
  'one string': () => `"${'a'.repeat(16e6)}"`,
  'one string of another script': () => `"${'\u4e2d'.repeat(5_500_000)}"`,
  'one string of escapes': () => `"${'\\u0000'.repeat(16e6 / 6)}"`,
  'one string beyond the plane': () => `"a${'\u{1f600}'.repeat(4e6)}"`,
  'one list': () => `[${'1,'.repeat(8e6)}1]`,
  'numbers with fractions': () => `[${'0.125,'.repeat(16e6 / 6)}1]`,
  'integers beyond 2^53': () => `[${'12345678901234567890,'.repeat(760_000)}1]`,
  'long integers': () => `[${`${'9'.repeat(4300)},`.repeat(16e6 / 4301)}1]`,
  'dictionaries without names': () => `[${'{},'.repeat(16e6 / 3)}1]`,
  'one dictionary': () =>
    `{${Array.from({ length: 1_200_000 }, (_item, index) => `"k${index}":1`).join(',')}}`,
};

describe('the event loop goes on while globals go in as text, 16 MB of', () => {
  it.each(Object.keys(TEXTS))('%s', async (name) => {
    const text = `{"a":${TEXTS[name]?.() ?? ''}}`;
    await expectShortTurns(async () => {
      const { globalsJson } = await attacked.jail.safeExecJson('b = len(a)\ndel a', text, {
        limits: { ...LIMITS, memory: 4 * 2 ** 30 },
      });
      expect(globalsJson).toMatch(/^\{"b":\d+\}$/);
    });
  });
});

/** The same as values. */
const VALUES: Record<string, () => unknown> = {
  'one string': () => 'a'.repeat(16e6),
  'one string of another script': () => '\u4e2d'.repeat(5_500_000),
  'one string of escapes': () => '\0'.repeat(16e6 / 6),
  'bytes of a text': () => Buffer.alloc(16e6, 'a'),
  'one list': () => new Array<number>(900_000).fill(1),
  'lists of one': () => Array.from({ length: 500_000 }, () => [1]),
  'numbers with fractions': () => Array.from({ length: 900_000 }, (_item, index) => index + 0.5),
  'integers beyond 2^53': () => new Array<bigint>(700_000).fill(12_345_678_901_234_567_890n),
  'strings of ten characters': () => new Array<string>(900_000).fill('0123456789'),
  'dictionaries of one': () => Array.from({ length: 500_000 }, () => ({ a: 1 })),
};

describe('the event loop goes on while globals go in as values, such as', () => {
  it.each(Object.keys(VALUES))('%s', async (name) => {
    const value = VALUES[name]?.();
    await expectShortTurns(async () => {
      const globals: Record<string, unknown> = { a: value };
      await attacked.jail.safeExec('b = len(a)\ndel a', globals, {
        limits: { ...LIMITS, memory: 4 * 2 ** 30 },
      });
      expect(globals['b']).toBe((value as { length: number }).length);
    });
  });
});

const CODE = `text = "${'\u4e2d\\n'.repeat(2_000_000)}"\na = len(text)`;

it('the event loop goes on while code of 10 MB goes in', async () => {
  await expectShortTurns(async () => {
    const globals: Record<string, unknown> = {};
    await attacked.jail.safeExec(CODE, globals, { limits: LIMITS });
    expect(globals['a']).toBe(4_000_000);
  });
});

/** What a call may be given to put into its jail, some 100 MB of it. */
const GIVEN: Record<string, () => JailCodeOptions> = {
  'a file of bytes': () => ({ extraFiles: [['a', Buffer.alloc(1e8, 'a')]] }),
  'a file of text': () => ({ extraFiles: [['a', Buffer.alloc(1e8, 'a').toString('latin1')]] }),
  'a file of text of another script': () => ({
    extraFiles: [['a', Buffer.alloc(6e7, '\u4e2d', 'utf16le').toString('utf16le')]],
  }),
  'a file in tmp': () => ({ extraFiles: [['tmp/a', Buffer.alloc(1e8, 'a')]] }),
  'ten files': () => ({
    extraFiles: Array.from({ length: 10 }, (_item, index) => [`${index}`, Buffer.alloc(1e7, 'a')]),
  }),
  'files that a cell takes': () => ({
    extraFiles: Array.from({ length: 4 }, (_item, index) => [`${index}`, Buffer.alloc(1e6, 'a')]),
  }),
  code: () => ({ code: Buffer.alloc(5e7, 'print(7)\n#', 'latin1').fill('#', 9) }),
  'standard input': () => ({ stdin: Buffer.alloc(1e8, 'a') }),
  'standard input of text': () => ({ stdin: Buffer.alloc(1e8, 'a').toString('latin1') }),
};

describe('the event loop goes on while a call is given', () => {
  it.each(Object.keys(GIVEN))('%s', async (name) => {
    const given = GIVEN[name]?.() ?? {};
    const limits = { ...LIMITS, fsize: 1 << 28, disk: 1 << 28 };
    await expectShortTurns(async () => {
      const { outcome, stderr } = await attacked.jail.jailCode('python', {
        ...{ code: 'import sys; sys.stdin.buffer.read()', limits },
        ...given,
      });
      expect([outcome, stderr.toString()]).toEqual(['exited', '']);
    });
  });
});

describe('the event loop goes on while a result comes of 16 MiB of', () => {
  it.each(Object.keys(RESULTS))('%s', async (name) => {
    const code = RESULTS[name] ?? '';
    await expectShortTurns(async () =>
      attacked.jail.safeExec(code, {}, { limits: LIMITS }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
      }),
    );
  });
});
