// Limits: where they come from, what each means, and what its absence means.
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';
import { createJail } from '../support/jail';

const suite = useSuite();
watchLeftovers();
beforeEach(async () => suite.ready());

const WRITE = 'with open("tmp/x", "wb") as f: f.write(b"x" * 2000)';

describe('limits', () => {
  it('are CodeJail’s where its defaults are wanted, or its settings applied', () => {
    const codejail = { cpu: 1, realtime: 1, vmem: 0, fsize: 0, nproc: 15 };
    expect(createJail({ defaults: 'codejail' }).effectiveLimits()).toMatchObject(codejail);
    const jail = createJail();
    expect(jail.effectiveLimits()).toMatchObject({ realtime: 5, fsize: 64 * 1024 * 1024 });
    jail.applySettings({ limits: { CPU: 3 } });
    expect(jail.effectiveLimits()).toMatchObject({ ...codejail, cpu: 3 });
  });

  it('let hello world and a file in tmp pass where nothing is set', async () => {
    const jail = createJail();
    try {
      const code = 'with open("tmp/a", "w") as f: f.write("x" * 100_000)\nprint("Hello, world!")';
      const { stdout, status } = await jail.jailCode('python', { code });
      expect({ stdout: stdout.toString(), status }).toEqual({
        stdout: 'Hello, world!\n',
        status: 0,
      });
    } finally {
      await jail.close();
    }
  });

  it('deny to collect what can not be written', async () => {
    await expect(suite.python('1', { collect: ['a'], limits: { fsize: 0 } })).rejects.toMatchObject(
      {
        code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
        argument: 'options.collect',
        message: expect.stringContaining('limits.fsize') as string,
      },
    );
  });

  it('come from the jail, the context over it, and the call over both', async () => {
    const { jail } = suite;
    jail.setLimit('fsize', 1000);
    expect((await suite.python(WRITE)).status).toBe(1);
    jail.overrideLimit('fsize', 3000, 'course');
    expect((await suite.python(WRITE, { limitOverridesContext: 'course' })).status).toBe(0);
    expect((await suite.python(WRITE, { limitOverridesContext: 'other' })).status).toBe(1);
    expect(
      (await suite.python(WRITE, { limitOverridesContext: 'course', limits: { fsize: 10 } }))
        .status,
    ).toBe(1);
    jail.overrideLimit('fsize', null, 'course');
    expect((await suite.python(WRITE, { limitOverridesContext: 'course' })).status).toBe(1);
    jail.setLimit('fsize', 4000);
    expect((await suite.python(WRITE)).status).toBe(0);
  });

  it('are those of the moment of the call', async () => {
    suite.jail.setLimit('fsize', 4000);
    const running = suite.python(WRITE);
    suite.jail.setLimit('fsize', 10);
    expect((await running).status).toBe(0);
  });

  it('apply to safeExec', async () => {
    await expect(
      suite.jail.safeExec('while True: pass', {}, { limits: { cpu: 1 } }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('with status code: -24') as string,
      result: { outcome: 'cpu-limit' },
    });
  });

  it.each([
    [
      'cpu',
      'end = __import__("time").process_time() + 1.5\nwhile __import__("time").process_time() < end: pass',
    ],
    ['vmem', 'x = bytearray(200_000_000)'],
    ['memory', 'x = b"x" * 200_000_000'],
    [
      'nproc',
      'import threading, time\nt = [threading.Thread(target=time.sleep, args=(1,)) for _ in range(40)]\nfor x in t: x.start()',
    ],
    ['files', 'for i in range(3000): open(f"tmp/{i}", "w").close()'],
  ])('%s may be 0: no limit', async (name, code) => {
    suite.jail.setLimit('memory', 0);
    suite.jail.setLimit('vmem', 0);
    const result = await suite.python(code, { limits: { [name]: 0 } });
    expect(result.stderr.toString()).toBe('');
    expect(result).toMatchObject({ status: 0, outcome: 'exited' });
  });

  it('disk may be 0: no limit but that of each file', async () => {
    const code =
      'for i in range(20):\n  with open(f"tmp/{i}", "wb") as f: f.write(bytes(5_000_000))';
    const result = await suite.python(code, {
      limits: { disk: 0, fsize: 5_000_000, memory: 0 },
    });
    expect(result).toMatchObject({ status: 0, outcome: 'exited' });
  });

  it('fsize may be 0: then an empty file is all that can be made', async () => {
    const code = [
      'import os',
      'open("tmp/empty", "w").close(); os.mkdir("tmp/directory"); print(sorted(os.listdir("tmp")))',
      'with open("tmp/more", "w") as f: f.write("x")',
    ].join('\n');
    const result = await suite.python(code, { limits: { fsize: 0 } });
    expect(result.stdout.toString()).toBe("['directory', 'empty']\n");
    expect(result.stderr.toString()).toContain('File too large');
  });

  it('fsize does not concern the streams', async () => {
    const code = 'print("x" * 100000)';
    expect(await suite.printed(code, { limits: { fsize: 0 } })).toHaveLength(100_001);
  });

  it('denies raising them from inside', async () => {
    const code = [
      'import resource',
      'for name in ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_NOFILE"):',
      '    kind = getattr(resource, name)',
      '    soft, hard = resource.getrlimit(kind)',
      '    try: resource.setrlimit(kind, (-1, -1)); print(name, "raised")',
      '    except (ValueError, OSError): pass',
      'print(resource.getrlimit(resource.RLIMIT_CORE)[1] <= 1)',
    ].join('\n');
    expect(
      await suite.printed(code, { limits: { cpu: 5, vmem: 2_000_000_000, fsize: 10, nproc: 5 } }),
    ).toBe('True\n');
  });

  it('counts nproc for this jail alone', async () => {
    const code = [
      'import os, time',
      'made = 0',
      'try:',
      '    for _ in range(30):',
      '        if os.fork() == 0: time.sleep(600)',
      '        made += 1',
      'except BlockingIOError: pass',
      'time.sleep(0.5)',
      'print(made)',
    ].join('\n');
    const all = await Promise.all(
      Array.from({ length: 4 }, async () => suite.printed(code, { limits: { nproc: 10 } })),
    );
    expect(all).toEqual(Array(4).fill('9\n'));
  });

  describe('stack', () => {
    const MEBIBYTE = 1 << 20;
    const stackOf = 'import resource\nprint(*resource.getrlimit(resource.RLIMIT_STACK))';

    it('is 8 MiB unless it is chosen', async () => {
      expect(await suite.printed(stackOf)).toBe(`${8 * MEBIBYTE} ${8 * MEBIBYTE}\n`);
    });

    it('is what was chosen, as far as memory goes', async () => {
      const stack = 100 * MEBIBYTE;
      expect(await suite.printed(stackOf, { limits: { stack } })).toBe(`${stack} ${stack}\n`);
      const memory = 64 * MEBIBYTE;
      expect(await suite.printed(stackOf, { limits: { stack, memory } })).toBe(
        `${memory} ${memory}\n`,
      );
      expect(await suite.printed(stackOf, { limits: { stack: 0, memory } })).toBe(
        `${memory} ${memory}\n`,
      );
    });

    it('lets a program recurse that deeply', async () => {
      const code = [
        'import sys',
        'sys.setrecursionlimit(10**6)',
        'class Deep:',
        '    def __init__(self, depth): self.depth = depth',
        '    def __repr__(self): return repr(Deep(self.depth - 1)) if self.depth else "bottom"',
        'print(repr(Deep(60000)))',
      ].join('\n');
      const limits = { memory: 1024 * MEBIBYTE };
      expect((await suite.python(code, { limits })).signal).toBe('SIGSEGV');
      expect(await suite.printed(code, { limits: { ...limits, stack: 512 * MEBIBYTE } })).toBe(
        'bottom\n',
      );
    });

    it('counts as memory', async () => {
      const code = [
        'import sys',
        'sys.setrecursionlimit(10**9)',
        'class Deep:',
        '    def __repr__(self): return repr(Deep())',
        'repr(Deep())',
      ].join('\n');
      const limits = { stack: 256 * MEBIBYTE, memory: 64 * MEBIBYTE };
      const { outcome, signal } = await suite.python(code, { limits });
      // Whichever is looked at first: the sum of what it has, or where its stack ends.
      expect([outcome, signal]).toEqual(
        outcome === 'memory-limit' ? ['memory-limit', 'SIGKILL'] : ['signaled', 'SIGSEGV'],
      );
    });
  });

  describe('openFiles', () => {
    const open = (count: number): string =>
      `held = [open("/dev/null") for _ in range(${count})]\nprint(len(held))`;

    it('lets two hundred files be open unless it is chosen', async () => {
      expect(await suite.printed(open(200))).toBe('200\n');
      expect((await suite.python(open(300))).stderr.toString()).toContain('Too many open files');
    });

    it('is what was chosen', async () => {
      expect(await suite.printed(open(900), { limits: { openFiles: 1000 } })).toBe('900\n');
      expect((await suite.python(open(20), { limits: { openFiles: 16 } })).status).toBe(1);
    });

    it('may be 0: as many as the server may have', async () => {
      expect(await suite.printed(open(1000), { limits: { openFiles: 0 } })).toBe('1000\n');
    });

    it('leaves a program with few its locks', async () => {
      const code =
        'import fcntl\nf = open("tmp/x", "w")\nfcntl.flock(f, fcntl.LOCK_EX)\nprint("locked")';
      expect(await suite.printed(code, { limits: { openFiles: 8 } })).toBe('locked\n');
    });
  });

  describe('extraTime', () => {
    const burn = (seconds: number): string =>
      `import time\nwhile time.process_time() < ${seconds}: pass\nprint("done")`;

    it('lets a program end that used too much CPU, and tells how much', async () => {
      const limits = { cpu: 0.5, extraTime: 10 };
      const result = await suite.python(burn(0.9), { limits });
      expect(result).toMatchObject({
        outcome: 'cpu-limit',
        status: 0,
        exceeded: { limit: 'cpu', allowed: 0.5 },
      });
      expect(result.stdout.toString()).toBe('done\n');
      expect(result.exceeded?.measured).toBe(result.usage.cpuMs / 1000);
      expect(result.usage.cpuMs).toBeGreaterThan(500);
    });

    it('lets a program end that took too long, and tells how long', async () => {
      const limits = { realtime: 0.3, extraTime: 20 };
      const result = await suite.python('import time\ntime.sleep(0.6)\nprint("done")', { limits });
      expect(result).toMatchObject({
        outcome: 'time-limit',
        status: 0,
        exceeded: { limit: 'realtime', allowed: 0.3 },
      });
      expect(result.exceeded?.measured).toBeGreaterThanOrEqual(0.6);
    });

    it('ends too', async () => {
      const limits = { cpu: 0.2, extraTime: 0.3 };
      const result = await suite.python('while True: pass', { limits });
      expect(result).toMatchObject({
        outcome: 'cpu-limit',
        signal: 'SIGXCPU',
        exceeded: { limit: 'cpu', allowed: 0.2 },
      });
      expect(result.exceeded?.measured).toBeGreaterThanOrEqual(0.5);
    });

    it('is nothing to a program that is in time', async () => {
      const result = await suite.python('print(1)', { limits: { extraTime: 5 } });
      expect(result).toMatchObject({ outcome: 'exited', exceeded: null });
    });

    it('rejects a safeExec that was too slow', async () => {
      await expect(
        suite.jail.safeExec(burn(0.9), {}, { limits: { cpu: 0.5, extraTime: 10 } }),
      ).rejects.toMatchObject({ result: { outcome: 'cpu-limit', status: 0 } });
    });
  });

  it.each([
    ['cpu', -1],
    ['cpu', Number.NaN],
    ['realtime', Number.POSITIVE_INFINITY],
    ['vmem', 1.5],
    ['nproc', 1e12],
    ['fsize', '1000'],
    ['colour', 1],
  ])('denies %s = %p, before anything runs', async (name, value) => {
    await expect(suite.python('print(1)', { limits: { [name]: value } })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: `options.limits.${name}`,
    });
  });

  it('warns, and ignores it, where proxy is overridden by context', async () => {
    const warnings: string[] = [];
    await using jail = createJail({
      limits: UNHURRIED,
      logger: (level, message) => warnings.push(`${level} ${message}`),
    });
    jail.overrideLimit('proxy', 1, 'course');
    expect(warnings.join()).toMatch(/^warn .*proxy/);
    expect(jail.effectiveLimits('course').proxy).toBe(jail.effectiveLimits().proxy);
  });
});
