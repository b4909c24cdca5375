// Guarantee `time`: no longer than its limit by the clock on the wall.
import { useAttackedJail, run } from './attack';

const attacked = useAttackedJail();

async function* neverEnding(): AsyncGenerator<string> {
  yield 'one line\n';
  await new Promise(() => undefined);
}

const STAYS: Record<string, string> = {
  sleeping: `time.sleep(600)`,
  'ignoring every signal': `
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)
`,
  'stopping itself': `os.kill(os.getpid(), signal.SIGSTOP)`,
  'waiting for a FIFO': `os.mkfifo('tmp/fifo'); open('tmp/fifo')`,
  'waiting for a lock': `
import fcntl
file = open('tmp/lock', 'w')
if os.fork() == 0:
    fcntl.lockf(file, fcntl.LOCK_EX); time.sleep(600)
time.sleep(0.2)
fcntl.lockf(file, fcntl.LOCK_EX)
`,
  'waiting in a vfork': `
if call('clone', CLONE_VFORK | signal.SIGCHLD, 0, 0, 0, 0) == 0: time.sleep(600)
`,
};

describe('time', () => {
  it.each(Object.keys(STAYS))('denies staying by %s', async (name) => {
    const result = await run(attacked.jail, STAYS[name] ?? '', { limits: { realtime: 0.5 } });
    expect(result.outcome).toBe('time-limit');
    expect(result.exceeded).toMatchObject({ limit: 'realtime', allowed: 0.5 });
    expect(result.exceeded?.measured).toBeGreaterThanOrEqual(0.5);
    expect(result.usage.wallMs).toBeLessThan(10_000);
  });

  it('denies staying by reading standard input that never ends', async () => {
    const result = await run(attacked.jail, `sys.stdin.read()`, {
      stdin: neverEnding(),
      limits: { realtime: 0.5 },
    });
    expect(result.outcome).toBe('time-limit');
  });

  it('denies staying by output that nobody else could end', async () => {
    const result = await run(
      attacked.jail,
      `
while True:
    os.write(1, b'.')
    time.sleep(0.01)
`,
      { limits: { realtime: 0.5 } },
    );
    expect(result.outcome).toBe('time-limit');
    expect(result.stdout.length).toBeGreaterThan(1);
  });
});
