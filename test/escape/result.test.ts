// What safeExec gives back is made by hostile code: an error or a value, never a crash or a pollution.
import { useAttackedJail } from './attack';

const attacked = useAttackedJail();

/** Python that ends with this on the result channel, and nothing else. */
function answer(expression: string, status = 0): string {
  return [
    'import os',
    `data = memoryview(${expression})`,
    'while data: data = data[os.write(4, data):]',
    `os._exit(${status})`,
  ].join('\n');
}

async function failure(code: string): Promise<unknown> {
  const globals = { kept: true };
  const outcome: unknown = await attacked.jail
    .safeExec(code, globals)
    .then(() => 'no error')
    .catch((thrown: unknown) => thrown);
  expect(globals).toEqual({ kept: true });
  return outcome;
}

/** The longest turn of the event loop meanwhile, in milliseconds. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const look = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const clock = setInterval(look, 5);
  await work();
  look();
  clearInterval(clock);
  return longest;
}

const FORGERIES: Record<string, string> = {
  'more names than any program has': `b'G{' + b','.join(b'"k%d":1' % i for i in range(200000)) + b'}'`,
  nothing: `b''`,
  'another letter': `b'X{}'`,
  'no JSON': `b'Gnone'`,
  'half of an object': `b'G{"a": 1'`,
  'two objects': `b'G{}{}'`,
  'an array': `b'G[]'`,
  null: `b'Gnull'`,
  'not UTF-8': `b'G{"a": "\\xff"}'`,
  NUL: `b'G\\x00{}'`,
  'deep nesting': `b'G{"a":' + b'[' * 5_000_000`,
  'deep nesting that is closed': `b'G{"a":' + b'[' * 2_000_000 + b']' * 2_000_000 + b'}'`,
  'deep objects': `b'G' + b'{"a":' * 1_000_000 + b'1' + b'}' * 1_000_000`,
  'an integer of a million digits': `b'G{"a":' + b'9' * 1_000_000 + b'}'`,
};

describe('the result of hostile code', () => {
  it.each(Object.keys(FORGERIES))(
    'denies %s, with an error and untouched globals',
    async (name) => {
      const error = await failure(answer(FORGERIES[name] ?? ''));
      expect(error).toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
    },
  );

  it('denies polluting a prototype', async () => {
    const globals: Record<string, unknown> = {};
    await attacked.jail.safeExec(
      answer(
        `b'G{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}, "toString": 3, "a": {"__proto__": {"polluted": 4}}}'`,
      ),
      globals,
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(globals)).toBe(Object.prototype);
    expect(Object.keys(globals).sort()).toEqual(['__proto__', 'a', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(globals['a'])).toBe(Object.prototype);
  });

  it('supports a large result without holding up the server for long', async () => {
    const globals: Record<string, unknown> = {};
    const longest = await longestTurn(async () => {
      const list = `b'[' + b'1,' * 499_999 + b'1]'`;
      await attacked.jail.safeExec(
        answer(`b'G{"a":[' + ${list} + (b',' + ${list}) * 13 + b']}'`),
        globals,
      );
    });
    expect((globals['a'] as unknown[]).flat()).toHaveLength(7_000_000);
    expect(longest).toBeLessThan(4000);
  });

  it.each([
    ['items of one list', `b'[' + b'1,' * 500_000 + b'1]'`, /more than 500000 items in one list/],
    [
      'names of one dictionary',
      `b'{' + b','.join(b'"k%d":1' % i for i in range(80_001)) + b'}'`,
      /more than 80000 names in one object/,
    ],
    [
      'lists',
      `b'[' + (b'[' + b'[],' * 250_000 + b'1],') * 4 + b'1]'`,
      /more than 200000 lists and objects/,
    ],
  ])(
    'denies more %s than the server has room for; as text they are fine',
    async (_name, value, why) => {
      const code = answer(`b'G{"a":' + ${value} + b'}'`);
      expect(await failure(code)).toMatchObject({ message: expect.stringMatching(why) as string });
      const { globalsJson } = await attacked.jail.safeExecJson(code, '{}');
      expect(globalsJson).toMatch(/^\{"a":.*\}$/);
    },
  );

  it.each([
    ['globals', 'G', 0, /more than 80000 names/],
    ['an exception', 'E', 1, /with status code: 1$/],
  ])('denies holding up the server by %s of a million names', async (_name, kind, status, what) => {
    const names = `b'${kind}{' + b','.join(b'"k%d":1' % i for i in range(1_250_000)) + b'}'`;
    let error: unknown;
    const longest = await longestTurn(async () => {
      error = await failure(answer(names, status));
    });
    expect(error).toMatchObject({ message: expect.stringMatching(what) as string });
    expect(longest).toBeLessThan(1000);
  });

  it('denies a second result, from a child or after the first', async () => {
    const error = await failure('import os\nos.write(4, b"G{}")');
    expect(error).toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
  });

  it('denies a result from a program that did not end well', async () => {
    const error = await failure('import os\nos.write(4, b\'G{"kept": false}\')\nos._exit(3)');
    expect(error).toMatchObject({ code: 'ERR_CODEJAIL_EXEC', result: { status: 3 } });
  });

  it('denies holding the call by a child that keeps the channel', async () => {
    const globals: Record<string, unknown> = {};
    await attacked.jail.safeExec(
      'import os, time\nif os.fork() == 0: time.sleep(600)\na = 1',
      globals,
    );
    expect(globals).toEqual({ a: 1 });
  });

  it.each([
    'import os; os.close(4)',
    'import os; os.close(3); os.close(4)',
    'import sys; sys.stdout = sys.stderr = None; sys.modules.clear()',
    'import builtins; builtins.__dict__.clear()',
    'import sys; sys.setrecursionlimit(50)\ndef f(): f()\nf()',
    'class A(str):\n    def __hash__(self): raise SystemExit(9)\n    def __eq__(self, other): return True\na = 1',
    'raise type("E", (BaseException,), {"__str__": lambda self: 1 / 0})',
    'import os; os.kill(os.getpid(), 11)',
  ])('gives a result or a typed error after %j', async (code) => {
    const outcome: unknown = await attacked.jail
      .safeExec(code, {})
      .then(() => ({ code: 'ERR_CODEJAIL_EXEC' }))
      .catch((thrown: unknown) => thrown);
    expect(outcome).toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
  });
});

describe('collected files of hostile code', () => {
  it('denies links, FIFOs, devices and sockets, and what is reached through them', async () => {
    const { collected } = await attacked.jail.jailCode('python', {
      code: [
        'import os, socket',
        'os.chdir("tmp")',
        'open("plain", "w").write("plain")',
        'open("new\\nline", "w").write("odd")',
        'os.symlink("/etc/passwd", "link")',
        'os.symlink("/etc", "directory-link")',
        'os.symlink("plain", "inner-link")',
        'os.mkfifo("fifo")',
        'socket.socket(socket.AF_UNIX).bind("socket")',
        'os.mkdir("directory"); open("directory/deep", "w").write("deep")',
      ].join('\n'),
      collect: ['**', 'link', 'directory-link/passwd', 'fifo', 'socket'],
    });
    expect(collected.map(({ path, content }) => [path, content.toString()])).toEqual([
      ['directory/deep', 'deep'],
      ['new\nline', 'odd'],
      ['plain', 'plain'],
    ]);
  });

  it('denies a sparse giant', async () => {
    const result = await attacked.jail.jailCode('python', {
      code: 'import os\nos.ftruncate(os.open("tmp/giant", os.O_RDWR | os.O_CREAT), 1 << 40)',
      collect: ['giant'],
      limits: { fsize: 2 ** 41, output: 1024 * 1024 },
    });
    expect(result.outcome).toBe('output-limit');
    expect(result.collected).toEqual([]);
  });

  it('supports names that are no text and files that nobody may read, by leaving them out', async () => {
    const { collected } = await attacked.jail.jailCode('python', {
      code: [
        'import os',
        'open(b"tmp/\\xff\\xfe", "w").write("x")',
        'open("tmp/good", "w").write("good")',
        'open("tmp/closed", "w").write("closed"); os.chmod("tmp/closed", 0)',
        'os.makedirs("tmp/locked/inner"); os.chmod("tmp/locked", 0)',
      ].join('\n'),
      collect: ['**'],
    });
    expect(collected.map(({ path }) => path)).toContain('good');
  });

  it('denies holding up the server by long names', async () => {
    const longest = await longestTurn(async () => {
      const { status } = await attacked.jail.jailCode('python', {
        code: 'for i in range(900): open("tmp/" + "-" * 240 + str(i), "w")',
        collect: ['*-*-*.png'],
      });
      expect(status).toBe(0);
    });
    expect(longest).toBeLessThan(1000);
  });
});
