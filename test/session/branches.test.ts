// Steps that are never kept: several at a time, and apart from each other.
import { setTimeout as pause } from 'node:timers/promises';
import type { Session, SessionOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function open(options: SessionOptions = {}): Promise<Session> {
  await suite.ready();
  return suite.jail.openSession({ limits: UNHURRIED, ...options });
}

describe('steps that are never kept', () => {
  it('run several at a time, each with its own globals, output, outcome and limits', async () => {
    const session = await open();
    await session.run(
      'def solve(n):\n    if n == 3: raise ValueError(n)\n    if n == 5:\n        while True: pass\n    print("case", n)\n    return n * n',
    );
    const results = await Promise.all(
      Array.from({ length: 12 }, async (_, n) =>
        session.run('answer = solve(n)', {
          globals: { n },
          get: ['answer'],
          keep: 'never',
          limits: { cpu: 2 },
        }),
      ),
    );
    for (const [n, result] of results.entries()) {
      expect(result.state).toBe('rolled back');
      if (n === 3) {
        expect(result.exception?.type).toBe('ValueError');
      } else if (n === 5) {
        expect(result.outcome).toBe('cpu-limit');
      } else {
        expect(result).toMatchObject({ outcome: 'exited', globals: { answer: n * n } });
        expect(result.stdout.toString()).toBe(`case ${n}\n`);
      }
    }
    expect((await session.run('"answer" in globals()')).value).toBe('False');
  });

  it('really run at the same time', async () => {
    const session = await open();
    // Each waits for the other's file.
    const [one, other] = await Promise.all(
      ['a', 'b'].map(async (name) =>
        session.run(
          `import os, time\nopen("tmp/${name}", "w").close()\nwhile not (os.path.exists("tmp/a") and os.path.exists("tmp/b")): time.sleep(0.01)\n"met"`,
          { keep: 'never' },
        ),
      ),
    );
    expect([one?.value, other?.value]).toEqual(["'met'", "'met'"]);
  });

  it('and steps that are kept have their turns in the order of the calls', async () => {
    const session = await open({ globals: { x: 0 } });
    const results = await Promise.all([
      session.run('x', { keep: 'never' }),
      session.run('x += 1\nx'),
      session.run('x', { keep: 'never' }),
      session.run('x', { keep: 'never' }),
      session.run('x += 1\nx'),
      session.run('x', { keep: 'never' }),
    ]);
    expect(results.map(({ value }) => value)).toEqual(['0', '1', '1', '1', '2', '2']);
  });

  it('can not read the memory or the pipes of the state, or of each other', async () => {
    const session = await open({ globals: { secret: 'of-the-state' } });
    const victim = session.run(
      'import os, time\nmine = "of-a-branch" * 3\nopen("tmp/pid", "w").write(str(os.getpid()))\nwhile not os.path.exists("tmp/done"): time.sleep(0.01)\n"unharmed"',
      { keep: 'never' },
    );
    const attack = session.run(
      `
import os, signal, time
while not (os.path.exists("tmp/pid") and open("tmp/pid").read()): time.sleep(0.01)
own = os.getpid()
seen = {}
def attempt(name, work):
    try:
        work()
        seen.setdefault(name, []).append("done")
    except OSError as error:
        pass
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, own)]
for pid in others:
    attempt("mem", lambda: open("/proc/%d/mem" % pid, "rb").close())
    attempt("maps", lambda: open("/proc/%d/maps" % pid, "rb").read())
    attempt("environ", lambda: open("/proc/%d/environ" % pid, "rb").read())
    for number in range(6):
        attempt("fd", lambda: os.open("/proc/%d/fd/%d" % (pid, number), os.O_WRONLY))
        attempt("fd", lambda: os.open("/proc/%d/fd/%d" % (pid, number), os.O_RDONLY | os.O_NONBLOCK))
    attempt("kill", lambda: os.kill(pid, signal.SIGKILL))
    attempt("pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL))
for target in (-1, 0, -own, -os.getpgrp()):
    attempt("many", lambda: os.kill(target, 0))
open("tmp/done", "w").close()
len(others) > 1, seen
`,
      { keep: 'never' },
    );
    expect((await attack).value).toBe("(True, {'many': ['done', 'done']})");
    expect((await victim).value).toBe("'unharmed'");
    expect((await session.run('secret')).value).toBe("'of-the-state'");
  });

  it('send signals to what they have started themselves', async () => {
    const session = await open();
    const { value } = await session.run(
      `
import os, signal, time, threading
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append(1))
signal.raise_signal(signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGUSR1)
threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
time.sleep(0.2)
os.WTERMSIG(status), len(got)
`,
    );
    expect(value).toBe('(15, 3)');
  });

  it('leave nothing: what they have started ends with them', async () => {
    const session = await open();
    await session.run(
      'import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        if os.fork() == 0: time.sleep(600)\n        os._exit(0)',
      { keep: 'never' },
    );
    const { value } = await session.run(
      'import os\nsum(1 for name in os.listdir("/proc") if name.isdigit() and name != "1")',
    );
    // The state, this step and at most the next fork.
    expect(Number(value)).toBeLessThanOrEqual(3);
  });

  it('end alone where one of them takes too much memory', async () => {
    const session = await open({ limits: { ...UNHURRIED, memory: 160 * 2 ** 20, nproc: 40 } });
    const good = Array.from({ length: 3 }, async () =>
      session.run('import time\ntime.sleep(1)\n"good"', { keep: 'never' }),
    );
    await pause(50);
    const bad = session.run('x = []\nwhile True: x.append(bytearray(2 ** 20))', { keep: 'never' });
    expect((await bad).outcome).toBe('memory-limit');
    expect((await Promise.all(good)).map(({ value }) => value)).toEqual(
      Array.from({ length: 3 }, () => "'good'"),
    );
  });
});
