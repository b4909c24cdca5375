// Guarantee `cpu`: no more seconds than its limit, over all of its processes and threads.
import { useAttackedJail, run } from './attack';

const attacked = useAttackedJail();

const BURNS: Record<string, string> = {
  'one process': `while True: pass`,
  'many processes': `
for _ in range(4):
    if os.fork() == 0: break
while True: pass
`,
  'a process that ignores SIGXCPU': `
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True: pass
`,
  'processes that block every signal': `
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
os.fork()
while True: pass
`,
  'orphans in process groups of their own': `
for _ in range(3):
    if os.fork() == 0:
        os.setpgid(0, 0)
        if os.fork() == 0:
            while True: pass
        os._exit(0)
time.sleep(600)
`,
  'threads whose first one has ended': `
import threading
def burn():
    while True: pass
for _ in range(2): threading.Thread(target=burn).start()
call('exit', 0)
`,
  'the kernel': `
file = os.open('/dev/urandom', os.O_RDONLY)
while True: os.read(file, 1 << 20)
`,
};

describe('cpu', () => {
  it.each(Object.keys(BURNS))('denies burning in %s', async (name) => {
    const result = await run(attacked.jail, BURNS[name] ?? '', {
      limits: { cpu: 0.6, realtime: 15 },
    });
    expect(result.outcome).toBe('cpu-limit');
    expect(result.exceeded).toMatchObject({ limit: 'cpu', allowed: 0.6 });
    expect(result.exceeded?.measured).toBeGreaterThanOrEqual(0.5);
    // The limit, and the second of grace for those who ignore SIGXCPU.
    expect(result.exceeded?.measured).toBeLessThan(3.5);
  });

  // Nobody waits for them, so that what they used is in nobody's account.
  it.each([0.03, 0.008])(
    'denies burning in short children that nobody waits for (%d s)',
    async (life) => {
      const result = await run(
        attacked.jail,
        `
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
burned = 0
while True:
    if os.fork() == 0:
        end = time.thread_time() + ${life}
        while time.thread_time() < end: pass
        os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
    burned += ${life}
    os.write(1, b'%f\\n' % burned)
`,
        { limits: { cpu: 0.8, realtime: 15 } },
      );
      expect(result.outcome).toBe('cpu-limit');
      // Most of it is seen: they can burn no more than twice the limit.
      const burned = Number(result.stdout.toString().trim().split('\n').at(-1));
      expect(burned).toBeLessThan(2 * 0.8);
    },
  );

  // Those that are waited for, by their parents or by PID 1, are in the kernel's own account.
  it.each([
    ['their parents', 'os.waitpid(child, 0)', ''],
    ['PID 1', 'os.waitpid(child, 0)', 'if os.fork() > 0: os._exit(0)'],
  ])('denies burning in short children that %s waits for', async (_, wait, between) => {
    const result = await run(
      attacked.jail,
      `
burned = 0
while True:
    child = os.fork()
    if child == 0:
        ${between}
        end = time.thread_time() + 0.001
        while time.thread_time() < end: pass
        os._exit(0)
    ${wait}
    burned += 0.001
    os.write(1, b'%f\\n' % burned)
`,
      { limits: { cpu: 0.8, realtime: 15 } },
    );
    expect(result.outcome).toBe('cpu-limit');
    const burned = Number(result.stdout.toString().trim().split('\n').at(-1));
    expect(burned).toBeLessThan(0.9);
    expect(result.exceeded?.measured).toBeGreaterThanOrEqual(0.8);
  });

  // Orphans end as fast as PID 1 reaps them.
  it('denies keeping the sums from being looked at by orphans without an end', async () => {
    const result = await run(
      attacked.jail,
      `
for _ in range(6):
    if os.fork() == 0:
        while True:
            try:
                if os.fork() == 0:
                    try: os.fork()
                    except OSError: pass
                    os._exit(0)
                os.waitpid(-1, 0)
            except OSError: pass
time.sleep(600)
`,
      { limits: { cpu: 1, realtime: 15, nproc: 60 } },
    );
    expect(result.outcome).toBe('cpu-limit');
    expect(result.exceeded?.measured).toBeLessThan(4);
  });

  it.each([0.3, 1, 1.5])('allows all of %d s of its own', async (cpu) => {
    const result = await run(
      attacked.jail,
      `
# What this process had used before it was the program's.
began = resource.getrlimit(10)[0] / 1e6
def tell(*_):
    os.write(1, b'%f' % (time.process_time() - began))
    os._exit(0)
signal.signal(signal.SIGXCPU, tell)
while True: pass
`,
      { limits: { cpu, realtime: 60 } },
    );
    expect(result.outcome).toBe('cpu-limit');
    expect(Number(result.stdout.toString())).toBeGreaterThanOrEqual(cpu);
  });

  // To look at so many takes a while, again and again.
  it('does not take what the launcher uses for what the program does', async () => {
    const sleepers = `
for _ in range(90):
    if os.fork() == 0: time.sleep(600)
`;
    const limits = { cpu: 10, realtime: 60, nproc: 120 };
    const { usage } = await run(attacked.jail, `${sleepers}time.sleep(1)`, { limits });
    const own = (usage.userMs + usage.systemMs) / 1000;
    const result = await run(attacked.jail, `${sleepers}time.sleep(12)\nprint('slept')`, {
      limits: { ...limits, cpu: 2 * own },
    });
    expect({ outcome: result.outcome, stdout: result.stdout.toString() }).toEqual({
      outcome: 'exited',
      stdout: 'slept\n',
    });
  });

  it('denies ending the launcher by its CPU limit', async () => {
    const result = await run(
      attacked.jail,
      `
try: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))
except OSError: pass
while True: pass
`,
      { limits: { cpu: 0.5 } },
    );
    expect(result.outcome).toBe('cpu-limit');
  });

  it('allows sleeping for longer than the limit', async () => {
    const result = await run(attacked.jail, `time.sleep(1)`, { limits: { cpu: 0.5 } });
    expect(result.outcome).toBe('exited');
  });
});
