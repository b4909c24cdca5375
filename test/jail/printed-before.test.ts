// What a Python program has printed arrives, whatever ends it, and when it is printed.
import { constants } from 'node:os';
import type { JailCodeOptions, JailResult } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const LINES = 400;
// More than are written at once, and less than is held.
const PRINT_LINES = `for i in range(${LINES}): print('line', i)`;
const PRINTED = Array.from({ length: LINES }, (_line, index) => `line ${index}\n`).join('');
const IN_C = 'sum(range(10**12))';

/** The ways by which Python code runs: as a program, and by safeExec. */
const WAYS: [string, (code: string, options?: JailCodeOptions) => Promise<JailResult>][] = [
  ['jailCode', async (code, options) => suite.python(code, options)],
  [
    'safeExec',
    async (code, options) =>
      suite.jail.safeExec(code, {}, options).catch((error: unknown) => {
        const { result } = error as { result?: JailResult };
        if (result === undefined) {
          throw error;
        }
        return result;
      }),
  ],
];

describe.each(WAYS)('what was printed by %s', (_way, run) => {
  it.each([
    ['a time limit', 'while True: pass', { realtime: 2 }, 'time-limit'],
    ['a time limit, within C', IN_C, { realtime: 2 }, 'time-limit'],
    ['a CPU limit', 'while True: pass', { cpu: 1 }, 'cpu-limit'],
    [
      'a memory limit',
      'x = []\nwhile True: x.append(bytearray(b"x") * (1 << 20))',
      { memory: 64 * 1024 * 1024 },
      'memory-limit',
    ],
  ])('is there after %s', async (_limit, end, limits, outcome) => {
    const result = await run(`${PRINT_LINES}\nprint('no end', end='')\n${end}`, { limits });
    expect([result.outcome, result.stdout.toString()]).toEqual([outcome, `${PRINTED}no end`]);
  });

  it('is there up to the limit of output', async () => {
    const { outcome, stdout } = await run('while True: print("x" * 99)', {
      limits: { output: 100_000 },
    });
    expect([outcome, stdout.length]).toEqual(['output-limit', 100_000]);
  });

  it.each([
    ['os._exit', 'import os; os._exit(3)', 3],
    ['SIGKILL', 'import os; os.kill(os.getpid(), 9)', -constants.signals.SIGKILL],
    ['SIGTERM', 'import os; os.kill(os.getpid(), 15)', -constants.signals.SIGTERM],
    ['abort', 'import os; os.abort()', -constants.signals.SIGABRT],
    ['a fault', 'import ctypes; ctypes.string_at(0)', -constants.signals.SIGSEGV],
    [
      'a fault under faulthandler',
      'import ctypes, faulthandler; faulthandler.enable(); ctypes.string_at(0)',
      -constants.signals.SIGSEGV,
    ],
  ])('is there after %s', async (_end, end, status) => {
    const result = await run(`${PRINT_LINES}\nprint('no end', end='')\n${end}`);
    expect([result.status, result.stdout.toString()]).toEqual([status, `${PRINTED}no end`]);
  });

  it('comes when it is printed, also without an end of a line, on both streams', async () => {
    const seen: string[] = [];
    const code = [
      'import sys',
      'print("a line")',
      'print("a prompt: ", end="")',
      'answer = input()',
      'sys.stderr.write("dots...")',
      'print(input("again? "), answer)',
    ].join('\n');
    const hears = new Map<string, () => void>();
    const heard = async (text: string): Promise<void> => {
      if (!seen.join('').includes(text)) {
        await new Promise<void>((resolve) => hears.set(text, resolve));
      }
    };
    const hear = (text: string): void => {
      seen.push(text);
      for (const [wanted, resolve] of hears) {
        if (seen.join('').includes(wanted)) resolve();
      }
    };
    async function* answers(): AsyncGenerator<string> {
      await heard('a line\na prompt: ');
      yield 'one\n';
      await heard('dots...');
      await heard('again? ');
      yield 'two\n';
    }
    const { stdout, stderr, status } = await run(code, {
      stdin: answers(),
      onStdoutText: hear,
      onStderrText: hear,
    });
    expect([status, stdout.toString(), stderr.toString()]).toEqual([
      0,
      'a line\na prompt: again? two one\n',
      'dots...',
    ]);
  });

  it('is whole and once after a fork, of parent and child', async () => {
    const code = [
      'import os, sys',
      PRINT_LINES,
      'print("before", end=" ")',
      'child = os.fork()',
      'if child == 0:',
      '    print("child"); os._exit(0)',
      'os.waitpid(child, 0)',
      'print("parent")',
    ].join('\n');
    const { stdout } = await run(code);
    expect(stdout.toString()).toBe(`${PRINTED}before child\nparent\n`);
  });
});

describe('the standard streams of a Python program', () => {
  it('are what Python makes them', async () => {
    const code = [
      'import io, sys',
      'for f in (sys.stdout, sys.stderr):',
      '    print(type(f) is io.TextIOWrapper, type(f.buffer) is io.BufferedWriter, f.name, f.mode,',
      '          type(f.buffer.raw) is io.FileIO, f.encoding, f.line_buffering, f.isatty(), f.fileno())',
      'print(sys.stdout is sys.__stdout__, sys.stdout.write("žx\\n"), sys.stdout.buffer.write(b"ab"))',
    ].join('\n');
    expect(await suite.printed(code)).toBe(
      'True True <stdout> w True utf-8 False False 1\nTrue True <stderr> w True utf-8 True False 2\n' +
        'žx\nabTrue 3 2\n',
    );
  });

  it('keep the order in which texts and bytes are written', async () => {
    const code = [
      'import sys',
      'for i in range(300):',
      '    print(i, end=","); sys.stdout.buffer.write(b"%d;" % i); sys.stdout.writelines(["x\\n"])',
    ].join('\n');
    const expected = Array.from({ length: 300 }, (_, i) => `${i},${i};x\n`).join('');
    expect(await suite.printed(code)).toBe(expected);
  });

  it.each([
    ['another encoding', 'sys.stdout.reconfigure(encoding="latin-1"); print("é")', 'a\n\\xe9\n'],
    ['other line ends', 'sys.stdout.reconfigure(newline="\\r\\n"); print("b")', 'a\nb\r\n'],
    [
      'lines at once, and others no more',
      'sys.stdout.reconfigure(line_buffering=True); print("b"); sys.stdout.reconfigure(encoding="ascii", errors="replace"); print("é")',
      'a\nb\n?\n',
    ],
    [
      'a stream over its buffer',
      'sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="latin-1"); print("é")',
      'a\n\\xe9\n',
    ],
    [
      'a stream over what was detached',
      'sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8"); print("b")',
      'a\nb\n',
    ],
    [
      'what is no file',
      'o = sys.stdout; sys.stdout = io.StringIO(); print("b"); o.write("c")',
      'a\nc',
    ],
    ['a copy of its descriptor', 'sys.stdout.flush(); os.dup2(os.dup(1), 1); print("b")', 'a\nb\n'],
    ['a lone surrogate', 'print("\\udc80b")', 'a\n\\x80b\n'],
    ['more than is held', 'print("b" * 100000)', `a\n${'b'.repeat(100_000)}\n`],
    ['os.write', 'os.write(1, b"b\\n"); print("c")', 'a\nb\nc\n'],
  ])('can be given %s', async (_what, statement, expected) => {
    const result = await suite.python(`import io, os, sys\nprint("a")\n${statement}`);
    const shown = result.stdout
      .toString('latin1')
      .replaceAll(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
    expect([result.stderr.toString(), shown]).toEqual(['', expected]);
  });

  it('tell what is wrong as Python does', async () => {
    const code = [
      'import sys',
      'def tried(f, *words):',
      '    try: f(*words)',
      '    except Exception as error: sys.stderr.write(f"{type(error).__name__}: {error}\\n")',
      'tried(sys.stdout.write, 5); tried(sys.stdout.buffer.write, "text"); tried(print, "\\ud800")',
      'out, bytes_ = sys.stdout, sys.stdout.buffer',
      'out.close(); tried(out.write, "x"); tried(bytes_.write, b"x")',
    ].join('\n');
    const { stderr } = await suite.python(code);
    expect(stderr.toString().split('\n')).toEqual([
      'TypeError: write() argument must be str, not int',
      "TypeError: a bytes-like object is required, not 'str'",
      expect.stringMatching(/^UnicodeEncodeError: 'utf-?8' codec can't encode character/),
      'ValueError: I/O operation on closed file.',
      expect.stringMatching(/^ValueError: write to closed file$/),
      '',
    ]);
  });

  it('take lines of several threads whole', async () => {
    const code = [
      'import threading',
      'def f(n):',
      '    for i in range(500): print(f"{n}-{i}\\n", end="")',
      'threads = [threading.Thread(target=f, args=(n,)) for n in range(4)]',
      'for t in threads: t.start()',
      'for t in threads: t.join()',
    ].join('\n');
    const lines = (await suite.printed(code)).trimEnd().split('\n');
    expect(new Set(lines)).toEqual(
      new Set([0, 1, 2, 3].flatMap((n) => Array.from({ length: 500 }, (_, i) => `${n}-${i}`))),
    );
    expect(lines).toHaveLength(2000);
  });

  it('leave a program its own signals and timers', async () => {
    const code = [
      'import signal, time',
      PRINT_LINES,
      'print(signal.getsignal(signal.SIGSEGV) is signal.SIG_DFL, end=" ")',
      'signal.signal(signal.SIGALRM, lambda *_: print("alarm", end=" "))',
      'signal.setitimer(signal.ITIMER_REAL, 0.3)',
      'began = time.monotonic(); signal.pause(); print(time.monotonic() - began >= 0.29)',
    ].join('\n');
    expect(await suite.printed(code)).toBe(`${PRINTED}True alarm True\n`);
  });

  it('hold nothing back where a program has blocked or taken every signal', async () => {
    const code = [
      'import signal',
      'for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:',
      '    signal.signal(number, lambda *_: print("a signal"))',
      'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - {signal.SIGXCPU})',
      PRINT_LINES,
      IN_C,
    ].join('\n');
    const { stdout } = await suite.python(code, { limits: { realtime: 2 } });
    expect(stdout.toString()).toBe(PRINTED);
  });

  it('show nothing of how that is done in the environment', async () => {
    expect(await suite.printed('import os; print("LD_PRELOAD" in os.environ)')).toBe('False\n');
  });
});
