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
  'orphans in sessions of their own': `
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
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
call((60, 93), 0)
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
