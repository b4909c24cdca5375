// Guarantee `output`: the server's memory can't be filled through what a program writes.
import { useAttackedJail, run } from './attack';

const MEBIBYTE = 1024 * 1024;

const attacked = useAttackedJail();

describe('output', () => {
  it.each([
    ['standard output', 1, 'stdout'],
    ['standard error', 2, 'stderr'],
  ] as const)('denies a flood of %s', async (_name, number, stream) => {
    const result = await run(attacked.jail, `while True: os.write(${number}, bytes(65536))`, {
      limits: { output: MEBIBYTE },
    });
    expect(result.outcome).toBe('output-limit');
    expect(result.exceeded).toMatchObject({ limit: 'output', allowed: MEBIBYTE });
    expect(result.exceeded?.measured).toBeGreaterThan(MEBIBYTE);
    expect(result[stream]).toHaveLength(MEBIBYTE);
  });

  it('denies a flood by many processes that ignore every signal', async () => {
    const result = await run(
      attacked.jail,
      `
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
for _ in range(3): os.fork()
while True:
    try: os.write(1, bytes(4096))
    except OSError: pass
`,
      { limits: { output: MEBIBYTE } },
    );
    expect(result.outcome).toBe('output-limit');
    expect(result.stdout).toHaveLength(MEBIBYTE);
  });

  it('denies a flood of the result channel', async () => {
    const flood = `import os\nwhile True: os.write(4, bytes(65536))`;
    const error: unknown = await attacked.jail
      .safeExec(flood, {}, { limits: { output: MEBIBYTE } })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ERR_CODEJAIL_EXEC',
      result: { outcome: 'output-limit' },
    });
  });

  it('denies costing the server many times what was written', async () => {
    global.gc?.();
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 20);
    // One byte at a time, so that the server reads one byte at a time.
    const result = await run(
      attacked.jail,
      `
end = time.monotonic() + 3
while time.monotonic() < end: os.write(1, b'x')
`,
    );
    clearInterval(watch);
    expect(result.outcome).toBe('exited');
    expect(result.stdout.length).toBeGreaterThan(100_000);
    expect(peak - before).toBeLessThan(128 * MEBIBYTE);
  });

  it('supports other work while a program floods', async () => {
    const flood = run(attacked.jail, `while True: os.write(1, bytes(65536))`, {
      limits: { realtime: 2, output: 0 },
      onStdout: () => undefined,
    });
    let turns = 0;
    const clock = setInterval(() => {
      turns += 1;
    }, 10);
    const result = await flood;
    clearInterval(clock);
    expect(result.outcome).toMatch(/limit$/);
    expect(turns).toBeGreaterThan(20);
  });
});
