// Each way to end, and the evidence for it.
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

describe('the outcome', () => {
  it('is "exited" for a program that ends by itself, whatever its status', async () => {
    expect(await suite.python('raise SystemExit(9)')).toMatchObject({
      outcome: 'exited',
      status: 9,
      signal: null,
      exceeded: null,
    });
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT', 'SIGUSR1'] as const)(
    'is "signaled" for a program that ends by %s, which is no limit',
    async (signal) => {
      const { constants } = await import('node:os');
      const result = await suite.python(
        `import os, signal; os.kill(os.getpid(), signal.${signal})`,
      );
      expect(result).toMatchObject({
        outcome: 'signaled',
        status: -constants.signals[signal],
        signal,
        exceeded: null,
      });
    },
  );

  it('is "cpu-limit", with the seconds', async () => {
    const result = await suite.python('while True: pass', { limits: { cpu: 1 } });
    expect(result).toMatchObject({
      outcome: 'cpu-limit',
      signal: 'SIGXCPU',
      exceeded: { limit: 'cpu', allowed: 1 },
    });
    expect(result.exceeded?.measured).toBeGreaterThan(0.9);
    expect(result.exceeded?.measured).toBeLessThan(5);
  });

  it('is "cpu-limit" for a fraction of a second', async () => {
    const result = await suite.python('while True: pass', { limits: { cpu: 0.3 } });
    expect(result).toMatchObject({ outcome: 'cpu-limit', exceeded: { allowed: 0.3 } });
    expect(result.exceeded?.measured).toBeLessThan(1);
  });

  it('is "time-limit", with the seconds', async () => {
    const result = await suite.python('import time; time.sleep(600)', {
      limits: { realtime: 0.6 },
    });
    expect(result).toMatchObject({
      outcome: 'time-limit',
      status: -9,
      signal: 'SIGKILL',
      exceeded: { limit: 'realtime', allowed: 0.6 },
    });
    expect(result.exceeded?.measured).toBeGreaterThanOrEqual(0.6);
    expect(result.usage.userMs + result.usage.systemMs).toBeLessThan(5000);
  });

  // What can't be read of a process may be much, unless it has just ended.
  it('is no "memory-limit" of processes that end while they are looked at', async () => {
    const code = `
import os, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
burn(0.3)
for _ in range(150):
    if os.fork() == 0:
        burn(0.02)
        os._exit(0)
    if _ > 4: os.wait()
`;
    const limits = { memory: 60_000_000, cpu: 60, realtime: 100 };
    const { outcome, exceeded } = await suite.python(code, { limits });
    expect({ outcome, exceeded }).toEqual({ outcome: 'exited', exceeded: null });
  });

  it('is "memory-limit", with the bytes', async () => {
    const code = 'held = []\nwhile True: held.append(bytearray(b"x" * 1000000))';
    const result = await suite.python(code, { limits: { memory: 100_000_000 } });
    if (result.outcome === 'exited') {
      // The wall behind the sampled sum was reached first: Python got no more memory.
      expect(result.stderr.toString()).toContain('MemoryError');
    } else {
      expect(result).toMatchObject({
        outcome: 'memory-limit',
        exceeded: { limit: 'memory', allowed: 100_000_000 },
      });
      expect(result.exceeded?.measured).toBeGreaterThan(100_000_000);
    }
    expect(result.usage.maxRssBytes).toBeLessThan(200_000_000);
  });

  it('is "disk-limit" for a program that the size of a file ends', async () => {
    const code = [
      'import signal',
      'signal.signal(signal.SIGXFSZ, signal.SIG_DFL)',
      'f = open("tmp/large", "wb", buffering=0)',
      'while True: f.write(b"x" * 1000)',
    ].join('\n');
    expect(await suite.python(code, { limits: { fsize: 5000 } })).toMatchObject({
      outcome: 'disk-limit',
      signal: 'SIGXFSZ',
      exceeded: { limit: 'fsize', allowed: 5000 },
    });
  });

  it('is "disk-limit" for a program that fails on a full disk, and "exited" for one that copes', async () => {
    const fill = [
      'try:',
      '    f = open("tmp/large", "wb", buffering=0)',
      '    while True: f.write(b"x" * 10000)',
      'except OSError as error:',
      '    print(error.strerror)',
    ].join('\n');
    const limits = { fsize: 10_000_000, disk: 100_000 };
    const failed = await suite.python(`${fill}\n    raise`, { limits });
    expect(failed).toMatchObject({
      outcome: 'disk-limit',
      status: 1,
      exceeded: { limit: 'disk', allowed: 100_000 },
    });
    const coped = await suite.python(fill, { limits });
    expect(coped).toMatchObject({ outcome: 'exited', status: 0, exceeded: null });
    expect(coped.stdout.toString()).toBe('No space left on device\n');
  });

  it('is "exited" for a program that fails while its disk has room', async () => {
    const code = 'open("tmp/x", "w").write("x")\nraise ValueError';
    expect(await suite.python(code, { limits: { fsize: 1000 } })).toMatchObject({
      outcome: 'exited',
      status: 1,
    });
  });

  it('is "output-limit", with the bytes', async () => {
    const result = await suite.python('while True: print("x" * 1000)', {
      limits: { output: 10_000 },
    });
    expect(result).toMatchObject({
      outcome: 'output-limit',
      exceeded: { limit: 'output', allowed: 10_000 },
    });
    expect(result.exceeded?.measured).toBeGreaterThan(10_000);
  });
});

describe('the usage', () => {
  it('tells the time of the program and of its set-up', async () => {
    const { usage } = await suite.python(
      'import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\ntime.sleep(0.3)',
    );
    expect(usage.userMs + usage.systemMs).toBeGreaterThan(350);
    expect(usage.wallMs).toBeGreaterThan(650);
    expect(usage.setupMs).toBeGreaterThan(0);
    expect(usage.setupMs).toBeLessThan(15_000);
  });

  it('counts the processes that the program started', async () => {
    const code = [
      'import os, time',
      'for _ in range(3):',
      '    if os.fork() == 0:',
      '        end = time.process_time() + 0.3',
      '        while time.process_time() < end: pass',
      '        os._exit(0)',
      'for _ in range(3): os.wait()',
    ].join('\n');
    const { usage } = await suite.python(code);
    expect(usage.userMs + usage.systemMs).toBeGreaterThan(800);
  });

  it('tells the memory of the program, in bytes', async () => {
    const small = await suite.python('pass');
    const large = await suite.python('held = b"x" * 80_000_000');
    expect(large.usage.maxRssBytes - small.usage.maxRssBytes).toBeGreaterThan(70_000_000);
    expect(large.usage.maxRssBytes).toBeLessThan(300_000_000);
  });
});
