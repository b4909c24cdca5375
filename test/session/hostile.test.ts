// What a step can't take away: after each of these the state before is there for the next one, or the session says that it is
// lost; never a hang, and no step gets another's result.
import { SessionLostError, type Session, type StepResult } from '../../lib/index';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

/** What runs the steps, by its names: no collector tells of a template's objects. */
const OWN_NAMES =
  'import sys\nframe = sys._getframe()\nwhile "run_step" not in frame.f_globals: frame = frame.f_back\nown = frame.f_globals\n';

/** By kind: the code of one, by its number. Each that is kept leaves the state able to go on. */
const KINDS: Record<string, (n: number) => string> = {
  'an endless loop': () => 'while True: pass',
  'an endless wait': () => 'import time\ntime.sleep(1000)',
  'a loop in a handler': () =>
    'import signal\ndef spin(*_):\n    while True: pass\nsignal.signal(signal.SIGALRM, spin)\nsignal.setitimer(signal.ITIMER_REAL, 0.001)\nimport time\ntime.sleep(10)',
  'a hoard': () => 'x = []\nwhile True: x.append(bytearray(2 ** 20))',
  'an allocation that is too large': (n) => `x = bytearray(${n + 1} * 2 ** 30)`,
  'a fork bomb': () => 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass',
  'a fork bomb that leaves orphans': () =>
    'import os\nwhile True:\n    try:\n        if os.fork() == 0:\n            if os.fork() != 0: os._exit(0)\n    except OSError: pass',
  'a bomb of sessions and groups': () =>
    'import os\nwhile True:\n    try:\n        if os.fork() == 0:\n            os.setsid()\n            os.setpgid(0, 0)\n    except OSError: pass',
  'an exit': (n) => `import os\nos._exit(${n % 256})`,
  'an abort': () => 'import os\nos.abort()',
  'a segmentation fault': () => 'import ctypes\nctypes.string_at(0)',
  'a signal to itself': (n) =>
    `import os\nos.kill(os.getpid(), ${[9, 11, 6, 15, 1, 2, 13, 24][n % 8]})`,
  'a signal to all': (n) => `import os\nos.kill(${n % 2 === 0 ? -1 : 0}, 9)`,
  'signals to every number': () =>
    'import os\nfor pid in range(2, 400):\n    try: os.kill(pid, 9)\n    except OSError: pass',
  'closed descriptors': () => 'import os\nos.closerange(0, 200)',
  'descriptors that are others': () =>
    'import os\nnull = os.open("/dev/null", os.O_RDWR)\nfor fd in range(8): os.dup2(null, fd)',
  'a full table of descriptors': () => 'import os\nwhile True: os.open("/dev/null", os.O_RDONLY)',
  'a forged answer': (n) =>
    `import os\nos.write(4, b'S{"value":"${n}","display":[],"globals":{},"omitted":[],"exception":null}')`,
  'a forged answer, and an end': () =>
    `import os\nos.write(4, b'S{"value":"forged","display":[],"globals":{},"omitted":[],"exception":null}')\nos._exit(0)`,
  'noise on every descriptor': (n) =>
    `import os\nfor fd in range(20):\n    try: os.write(fd, bytes([${n % 256}]) * 10000)\n    except OSError: pass`,
  'frames of calls that were not asked for': () =>
    'import os\nfor n in range(200):\n    os.write(4, b"C%d 0 9\\n{\\"call\\":[" % n)',
  'an endless answer': () => 'import os\nwhile True: os.write(4, b"x" * 65536)',
  'endless output': () => 'while True: print("x" * 10000)',
  'sys.exit': (n) => `import sys\nsys.exit(${n % 3 === 0 ? '"text"' : n})`,
  'another stdout': () => 'import sys\nsys.stdout = sys.stderr = None',
  'a stdout that raises': () =>
    'import sys\nclass Bad:\n    def __getattr__(self, name): raise SystemExit(3)\nsys.stdout = Bad()',
  'no builtins': () => 'import builtins\nvars(builtins).clear()',
  'other builtins': () =>
    'import builtins\nfor name in ("repr", "len", "compile", "exec", "isinstance", "getattr"):\n    setattr(builtins, name, lambda *a: 1 / 0)',
  'no modules': () => 'import sys\nsys.modules.clear()',
  'no path': () => 'import sys\nsys.path = sys.meta_path = None',
  'a trace function': () =>
    'import sys\nsys.settrace(lambda *a: 1 / 0)\nsys.setprofile(lambda *a: 1 / 0)\nlen([])',
  'tricks of the collector': () =>
    `${OWN_NAMES}own.clear()\nimport gc\nfor o in gc.get_objects():\n    if isinstance(o, dict) and "__name__" in o and o is not globals(): o.clear()`,
  'changed functions of the session': () =>
    `${OWN_NAMES}for name in ("hold", "settle", "flush", "encode", "send"): own[name] = lambda *a: "x"`,
  'a state that prints by itself': () =>
    `${OWN_NAMES}import os\ndef forever(*_):\n    while True: os.write(1, b"x" * 65536)\nown["read_request"] = forever`,
  'a state that never waits': () =>
    `${OWN_NAMES}def forever(*_):\n    while True: pass\nown["read_request"] = forever`,
  'exit handlers': () =>
    'import atexit, os\natexit.register(os._exit, 5)\natexit.register(print, "x")',
  'a value that raises': () =>
    'class V:\n    def __repr__(self): raise SystemExit(9)\n    def __getattr__(self, name): raise KeyboardInterrupt\nV()',
  'a value whose repr never ends': () =>
    'class V:\n    def __repr__(self):\n        while True: pass\nV()',
  'an exception that can not be told': () =>
    'class E(BaseException):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise E()',
  'deep recursion': () => 'import sys\nsys.setrecursionlimit(10 ** 6)\ndef f(): f()\nf()',
  'alarms that come later': () =>
    'import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1 / 0)\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)',
  'handlers of all signals': () =>
    'import signal\nfor n in signal.valid_signals():\n    try: signal.signal(n, lambda *_: 1 / 0)\n    except OSError: pass\nimport os\nfor n in (10, 12, 14): os.kill(os.getpid(), n)',
  'asking PID 1 itself': (n) =>
    `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nfor what in range(6): libc.syscall(${process.arch === 'x64' ? 180 : 42}, what, ${n}, -1)`,
  'threads that go on asking PID 1': () =>
    `import ctypes, threading\nlibc = ctypes.CDLL(None)\nfor what in (1, 2, 3): threading.Thread(target=libc.syscall, args=(${process.arch === 'x64' ? 180 : 42}, what, 0), daemon=True).start()\nwhile True: pass`,
  'siblings by CLONE_PARENT': () =>
    `import ctypes, os\nlibc = ctypes.CDLL(None)\nfor flags in (0x8011, 0x01208011): libc.syscall(${process.arch === 'x64' ? 56 : 220}, flags, 0, 0, 0, 0)`,
  'a subreaper that is none': () => 'import ctypes\nctypes.CDLL(None).prctl(36, 0, 0, 0, 0)',
  'full files': (n) => `open("tmp/f${n % 4}", "wb").write(bytes(10 ** 9))`,
  'a removed tmp': () => 'import shutil\nshutil.rmtree("tmp", ignore_errors=True)',
};

/** These change what all later steps need, on purpose: their state may be lost, and is never wrong. */
const names = Object.keys(KINDS);

// A cell is a cell: without a pool only its beginning is another one. And CI has a bound.
const ROUNDS = mode === 'warm' && process.env['CODEJAIL_QUICK'] !== undefined ? 6 : 2;
const STEPS =
  mode === 'warm' && process.env['CODEJAIL_QUICK'] === undefined ? 1000 : ROUNDS * names.length;
const LIMITS = {
  ...{ cpu: 0.1, realtime: 0.4, memory: 64 * 2 ** 20, nproc: 20, output: 2 ** 20, disk: 2 ** 20 },
};

/** Opens a session that knows its number. */
async function open(n: number): Promise<Session> {
  return suite.jail.openSession({ globals: { number: n }, limits: LIMITS });
}

async function outcomeOf(running: Promise<StepResult>): Promise<StepResult | 'lost'> {
  try {
    return await running;
  } catch (error) {
    expect(error).toBeInstanceOf(SessionLostError);
    return 'lost';
  }
}

/** Asks a session for its number, over an untampered way: what code has changed of Python it may have changed here too. */
async function check(session: Session, n: number): Promise<boolean> {
  const probe = await outcomeOf(session.run('number', { limits: { cpu: 5, realtime: 20 } }));
  if (probe === 'lost') {
    return false;
  }
  expect([`${n}`, null]).toContain(probe.value);
  return probe.value === `${n}`;
}

it(`are ${STEPS} of ${names.length} kinds, none of which hangs, or takes the state of a branch away`, async () => {
  await suite.ready();
  const lost: Record<string, number> = {};
  const spoilt: Record<string, number> = {};
  let session = await open(0);
  let number = 0;
  for (let n = 0; n < STEPS; n += 1) {
    const kind = names[n % names.length] ?? '';
    const code = KINDS[kind]?.(n) ?? '';
    // One of two in a branch that is never kept; the others as a prompt does.
    const isBranch = Math.floor(n / names.length) % 2 === 0;
    const result = await outcomeOf(session.run(code, { keep: isBranch ? 'never' : 'on-success' }));
    if (isBranch) {
      // Whatever it was.
      expect({ kind, result: result === 'lost' ? result : result.state }).toEqual({
        kind,
        result: 'rolled back',
      });
      expect({ kind, holds: await check(session, number) }).toEqual({ kind, holds: true });
      continue;
    }
    if (result === 'lost' || !(await check(session, number))) {
      const counts = result === 'lost' || !session.isOpen ? lost : spoilt;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    // What was kept of such a step is its own affair: the next one begins anew.
    if (result === 'lost' || result.state === 'advanced' || !session.isOpen) {
      await session.close();
      number = n;
      session = await open(number);
    }
  }
  await session.close();
  // Only those that were kept, of kinds that spoil Python for themselves.
  const mayBeLost = new Set([
    ...['a state that prints by itself', 'a state that never waits'],
    ...[
      'tricks of the collector',
      'changed functions of the session',
      'no builtins',
      'other builtins',
    ],
    ...['no modules', 'closed descriptors', 'descriptors that are others', 'no path'],
    ...['alarms that come later', 'handlers of all signals', 'a stdout that raises'],
  ]);
  expect(Object.keys({ ...lost, ...spoilt }).filter((kind) => !mayBeLost.has(kind))).toEqual([]);
}, 900_000);
