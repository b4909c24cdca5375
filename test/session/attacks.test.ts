// What a step tries against the state that it is a fork of, and against its own end.
import { SessionLostError, type Session, type SessionOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function open(options: SessionOptions = {}): Promise<Session> {
  await suite.ready();
  return suite.jail.openSession({ limits: UNHURRIED, ...options });
}

describe('a step whose first thread has ended', () => {
  // Its process shows as dead from then on (proc(5), state Z), while its other threads go on.
  const LEADERLESS = (work: string): string => `
import ctypes, os, signal, threading, time
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
def work():
${work}
threading.Thread(target=work).start()
ctypes.CDLL(None).syscall(${process.arch === 'x64' ? 60 : 93}, 0)
`;

  it.each([
    ['waits', '    time.sleep(1000)'],
    ['goes on', '    while True: pass'],
    [
      'forks more of its kind',
      `
    def child():
        if os.fork() == 0:
            threading.Thread(target=child).start()
            ctypes.CDLL(None).syscall(${process.arch === 'x64' ? 60 : 93}, 0)
    for _ in range(5):
        try: child()
        except OSError: pass
    time.sleep(1000)`,
    ],
  ])('ends in time, with all its threads: %s', async (_, work) => {
    const session = await open({ globals: { x: 7 } });
    for (const keep of ['never', 'always'] as const) {
      const result = await session.run(LEADERLESS(work), { keep, limits: { realtime: 0.7 } });
      expect(result).toMatchObject({ outcome: 'time-limit', state: 'rolled back' });
    }
    const { value } = await session.run(
      'import os\nx, sum(1 for name in os.listdir("/proc") if name.isdigit() and name != "1") <= 3',
    );
    expect(value).toBe('(7, True)');
  });

  it('is the one that is ended where it takes the memory', async () => {
    const session = await open({ limits: { ...UNHURRIED, memory: 160 * 2 ** 20, nproc: 40 } });
    const good = session.run('import time\nx = bytearray(8 * 2 ** 20)\ntime.sleep(2)\n"good"', {
      keep: 'never',
    });
    const bad = session.run(
      LEADERLESS('    x = []\n    while True: x.append(bytearray(2 ** 20)); time.sleep(0.005)'),
      { keep: 'never' },
    );
    expect((await bad).outcome).toBe('memory-limit');
    expect((await good).value).toBe("'good'");
  });
});

describe('a branch', () => {
  it('can not set limits, priority or processors of the state', async () => {
    const session = await open({ globals: { x: 7 } });
    const { value } = await session.run(
      `
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
own = os.getpid()
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, own)]
done = []
def attempt(name, work):
    try:
        if work() != -1: done.append(name)
    except (OSError, ValueError): pass
for pid in others:
    for name in dir(resource):
        # That of core files is answered as set, and is not.
        if name.startswith("RLIMIT_") and name != "RLIMIT_CORE":
            attempt(name, lambda: resource.prlimit(pid, getattr(resource, name), (1, 1)))
    attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    attempt("policy", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)))
    attempt("parameters", lambda: os.sched_setparam(pid, os.sched_param(0)))
    attempt("processors", lambda: os.sched_setaffinity(pid, {next(iter(os.sched_getaffinity(0)))}))
    attempt("disk", lambda: libc.syscall(${process.arch === 'x64' ? 251 : 30}, 1, pid, 3 << 13))
for which in (os.PRIO_PGRP, os.PRIO_USER):
    attempt("priorities", lambda: os.setpriority(which, 0, 19))
len(others) > 0, done
`,
      { keep: 'never' },
    );
    expect(value).toBe('(True, [])');
    expect((await session.run('x')).value).toBe('7');
  });

  it('sets its own, of its threads and of its children', async () => {
    const session = await open();
    const { value, exception } = await session.run(
      `
import os, resource, threading, time
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
thread = threading.Thread(target=time.sleep, args=(0.3,))
thread.start()
processors = os.sched_getaffinity(0)
for pid in (0, os.getpid(), child, thread.native_id):
    os.sched_setaffinity(pid, processors)
    os.setpriority(os.PRIO_PROCESS, pid, 15)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (100, 100))
os.kill(child, 9)
os.waitpid(child, 0)
thread.join()
os.getpriority(os.PRIO_PROCESS, 0), resource.getrlimit(resource.RLIMIT_NOFILE)
`,
      { keep: 'never' },
    );
    expect({ value, exception }).toEqual({ value: '(15, (100, 100))', exception: null });
  });
});

describe('a state that has changed how it makes forks', () => {
  // From the second fork on.
  const CHANGED = (body: string): string => `
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
frame = sys._getframe()
while "run_step" not in frame.f_globals: frame = frame.f_back
own = frame.f_globals
WAIT, CLONE = ${process.arch === 'x64' ? '180, 56' : '42, 220'}
def clone(): return libc.syscall(CLONE, 0x01208011, 0, 0, 0, 0)
def state():
    forked = rounds = 0
    while True:
        libc.syscall(WAIT, 1, forked)
        rounds += 1
        if rounds > 1:
${body}
        forked = clone()
        if forked == 0: return 0
class Library:
    def __init__(self, real): self.real = real
    def __getattr__(self, name): return state if name == "session_state" else getattr(self.real, name)
own["library"] = Library(own["library"])
`;

  // The state is told to make the next one, and never says that it has.
  async function useFork(session: Session): Promise<void> {
    await expect(session.run('import time\ntime.sleep(0.3)', { keep: 'never' })).rejects.toThrow(
      SessionLostError,
    );
    expect(session.isOpen).toBe(false);
  }

  it('can not keep the end of a step from being told', async () => {
    const session = await open();
    await session.run(
      CHANGED('            if clone() == 0: time.sleep(1000)\n            time.sleep(1000)'),
    );
    await useFork(session);
  });

  it('takes no other one with it', async () => {
    const session = await open({ globals: { x: 7 } });
    const other = await session.fork();
    await session.run(CHANGED('            clone()\n            time.sleep(1000)'));
    const lost = useFork(session);
    const result = await other.run(
      'import os, time\nif os.fork() == 0: time.sleep(1000)\nos._exit(3)',
    );
    expect(result).toMatchObject({ status: 3, state: 'rolled back' });
    expect((await other.run('x')).value).toBe('7');
    await lost;
  });

  it('makes no more forks than it is told to', async () => {
    const session = await open();
    const other = await session.fork();
    await session.run(
      CHANGED(`            made = clone()
            if made == 0: time.sleep(1000)
            open("tmp/begun", "w").write(str([clone() for _ in range(5)]))
            os.rename("tmp/begun", "tmp/more")
            time.sleep(1000)`),
    );
    const lost = useFork(session);
    const { value, outcome, exception } = await other.run(
      'import os, time\nwhile not os.path.exists("tmp/more"): time.sleep(0.01)\nopen("tmp/more").read()',
    );
    expect({ value, outcome, exception }).toEqual({
      value: "'[-1, -1, -1, -1, -1]'",
      outcome: 'exited',
      exception: null,
    });
    await lost;
  });
});
