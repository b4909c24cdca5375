// Standard output and standard error.
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

describe('output', () => {
  it('supports both streams at once, large, without a deadlock', async () => {
    const code = [
      'import os',
      'for _ in range(80):',
      '    os.write(1, b"o" * 65536)',
      '    os.write(2, b"e" * 65536)',
    ].join('\n');
    const { stdout, stderr, status } = await suite.python(code);
    expect([stdout.length, stderr.length, status]).toEqual([80 * 65_536, 80 * 65_536, 0]);
    expect(stdout.every((byte) => byte === 111)).toBe(true);
    expect(stderr.every((byte) => byte === 101)).toBe(true);
  });

  it('supports callbacks that see it as it comes', async () => {
    const seen: string[] = [];
    const arrivals: number[] = [];
    const code = [
      'import sys, time',
      'print("first", flush=True); time.sleep(0.6)',
      'print("second", file=sys.stderr, flush=True); time.sleep(0.6)',
      'print("third", flush=True)',
    ].join('\n');
    const { stdout, stderr } = await suite.python(code, {
      onStdout: (chunk) => {
        seen.push(`out ${chunk.toString()}`);
        arrivals.push(performance.now());
      },
      onStderr: (chunk) => seen.push(`err ${chunk.toString()}`),
    });
    expect(seen).toEqual(['out first\n', 'err second\n', 'out third\n']);
    expect((arrivals[1] ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(600);
    expect([stdout.toString(), stderr.toString()]).toEqual(['first\nthird\n', 'second\n']);
  });

  it('gives callbacks memory of their own', async () => {
    const { stdout } = await suite.python('print("mine", flush=True)', {
      onStdout: (chunk) => chunk.fill(0),
    });
    expect(stdout.toString()).toBe('mine\n');
  });

  it.each([0, 0.02])(
    'is whole where a program has closed a stream, %d s before it writes the rest',
    async (pause) => {
      const code = [
        'import os, time',
        `os.close(2); time.sleep(${pause})`,
        'for _ in range(5): os.write(1, b"x" * 60000)',
        'os._exit(0)',
      ].join('\n');
      expect((await suite.python(code)).stdout).toHaveLength(300_000);
    },
  );

  it('is whole where a program has made its pipe larger', async () => {
    const code = [
      'import fcntl, os',
      'F_SETPIPE_SZ = 1031',
      'try: fcntl.fcntl(1, F_SETPIPE_SZ, 1 << 20)',
      'except OSError: pass',
      'for _ in range(10): os.write(1, b"x" * 90000)',
      'os._exit(0)',
    ].join('\n');
    expect((await suite.python(code)).stdout).toHaveLength(900_000);
  });

  it('rejects with what a callback throws, and ends the program', async () => {
    const running = suite.python('import time\nprint("x", flush=True)\ntime.sleep(600)', {
      onStdout: () => {
        throw new RangeError('the caller is broken');
      },
    });
    await expect(running).rejects.toThrow(new RangeError('the caller is broken'));
  });

  it('allows as much as the limit, to the byte', async () => {
    const code = 'import os; os.write(1, b"x" * 50000); os.write(1, b"x" * 50000)';
    const result = await suite.python(code, { limits: { output: 100_000 } });
    expect(result).toMatchObject({ outcome: 'exited', status: 0, exceeded: null });
    expect(result.stdout).toHaveLength(100_000);
  });

  it('denies one byte more, and keeps what the limit allows', async () => {
    const code = 'import os\nwhile True: os.write(1, b"x" * 100001)';
    const result = await suite.python(code, { limits: { output: 100_000 } });
    expect(result).toMatchObject({
      outcome: 'output-limit',
      exceeded: { limit: 'output', allowed: 100_000 },
    });
    expect(result.exceeded?.measured).toBeGreaterThan(100_000);
    expect(result.stdout).toHaveLength(100_000);
  });

  it('counts each stream by itself', async () => {
    const code = 'import os; os.write(1, b"x" * 90000); os.write(2, b"x" * 90000)';
    const { outcome } = await suite.python(code, { limits: { output: 100_000 } });
    expect(outcome).toBe('exited');
  });

  it('allows any amount where the limit is 0', async () => {
    const code = 'import os\nfor _ in range(400): os.write(1, b"x" * 65536)';
    const { stdout } = await suite.python(code, { limits: { output: 0 } });
    expect(stdout).toHaveLength(400 * 65_536);
  });

  it('does not wait for a process that keeps the streams open', async () => {
    const code = [
      'import os, time',
      'if os.fork() == 0: time.sleep(600)',
      'print("the program has ended")',
    ].join('\n');
    const { stdout, outcome, usage } = await suite.python(code);
    expect([stdout.toString(), outcome]).toEqual(['the program has ended\n', 'exited']);
    expect(usage.wallMs).toBeLessThan(15_000);
  });

  it('allows a program to close its streams', async () => {
    const { status, outcome } = await suite.python(
      'import os; os.close(1); os.close(2); os._exit(5)',
    );
    expect([status, outcome]).toEqual([5, 'exited']);
  });
});
