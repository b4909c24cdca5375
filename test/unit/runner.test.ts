import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { parseJson } from '../../lib/json/parse';
import { encodeRequest } from '../../lib/exec/request';

const RUNNER = join(__dirname, '../../lib/python/runner.py');

interface Run {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** The whole of what came on the result channel. */
  reply: string;
  /** The names of what JSON can't carry. */
  omitted: string[];
}

interface RunOptions {
  globalsText?: string;
  pythonPath?: string[];
}

interface ReportedException {
  type: string;
  module?: string;
  message: string;
  line: number | null;
  traceback: string;
}

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'codejail-runner-'));
  await mkdir(join(directory, 'tmp'));
  await copyFile(RUNNER, join(directory, 'jailed_code'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function run(
  code: string,
  { globalsText = '{}', pythonPath = [] }: RunOptions = {},
): Promise<Run> {
  const child = spawn('python3', ['-E', '-B', 'jailed_code'], {
    cwd: directory,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const request = child.stdio[3] as Writable;
  request.end(encodeRequest(JSON.stringify(code), globalsText, pythonPath) as string);
  const [[status, signal], stdout, stderr, reply] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    buffer(child.stdio[4] as Readable),
  ]);
  const [list = '', rest] = /^O(.*)\n([^]*)$/.exec(reply.toString())?.slice(1) ?? [];
  const omitted = list === '' ? [] : (JSON.parse(list) as { name: string }[]);
  return {
    ...{ status, signal, stdout, stderr, reply: rest ?? reply.toString() },
    omitted: omitted.map(({ name }) => name),
  };
}

async function globalsOf(code: string, options?: RunOptions): Promise<unknown> {
  const result = await run(code, options);
  expect(result).toMatchObject({ status: 0, stderr: '' });
  expect(result.reply[0]).toBe('G');
  return parseJson(result.reply.slice(1));
}

function exceptionOf(result: Run): ReportedException {
  expect(result.reply[0]).toBe('E');
  return parseJson(result.reply.slice(1)) as unknown as ReportedException;
}

describe('runner.py', () => {
  describe('globals', () => {
    test('come in and go out, in one namespace', async () => {
      const code =
        'def double(x):\n    return twice * x\ntwice = 2\nb = double(a)\nname = __name__';
      expect(await globalsOf(code, { globalsText: '{"a": 21}' })).toStrictEqual({
        a: 21,
        twice: 2,
        b: 42,
        name: 'builtins',
      });
    });

    test('pass through as text: floats stay floats, integers of any size are exact', async () => {
      const globalsText = '\n{"f": 1.0, "i": 123456789012345678901, "n": [NaN, -Infinity, -0.0]} ';
      const { reply } = await run('g = f + 1', { globalsText });
      expect(reply).toBe('G{"f":1.0,"i":123456789012345678901,"n":[NaN,-Infinity,-0.0],"g":2.0}');
    });

    test('deny a caller-supplied __builtins__', async () => {
      expect(await globalsOf('a = len("x")', { globalsText: '{"__builtins__": {}}' })).toEqual({
        a: 1,
      });
    });

    test.each([
      ["b'abc'", '"abc"'],
      ["(1, [b'x', (None, True)])", '[1,["x",[null,true]]]'],
      ['{1: 2, True: 3, 1.5: 4, None: 5}', '{"1":3,"1.5":4,"null":5}'],
      ["{b'k': {b'l': b'm'}}", '{"k":{"l":"m"}}'],
      ["{'1': 1, 1: 2}", '{"1":1,"1":2}'],
      ['10 ** 400', (10n ** 400n).toString()],
      ['10 ** 4300 - 1', '9'.repeat(4300)],
      ["'\\ud800\\u0200\\uffff'", '"\\ud800\\u0200\\uffff"'],
      ['__import__("collections").OrderedDict(b=1, a=2)', '{"b":1,"a":2}'],
      ['__import__("collections").namedtuple("P", "x y")(1, 2)', '[1,2]'],
      ['__import__("enum").IntEnum("E", "A B").B', '2'],
      ['1e16', '1e+16'],
    ])('carry %s', async (expression, carried) => {
      const { reply, stderr } = await run(`value = ${expression}`);
      expect(stderr).toBe('');
      expect(reply).toBe(`G{"value":${carried}}`);
    });

    test.each([
      ["b'\\xff'"],
      ["{b'\\xff': 1}"],
      ['{(1, 2): 3}'],
      ['{1, 2}'],
      ['1j'],
      ["bytearray(b'x')"],
      ['range(3)'],
      ['len'],
      ['10 ** 4300'],
      ['[1, [2, {3}]]'],
      ['nest(901)'],
      ['nest(100000)'],
      ['cycle'],
      ['Hostile()'],
      ['HostileDict(a=1)'],
      ['Hostile'],
      ['HostileType("C", (), {})'],
      ['refuse'],
      ['__import__("json")'],
    ])('leave out %s whole, and nothing else', async (expression) => {
      const code = `
def nest(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value
def refuse(*_):
    raise KeyboardInterrupt
class Hostile:
    __class__ = property(refuse)
    __str__ = __repr__ = __iter__ = __len__ = __eq__ = refuse
    __hash__ = None
class HostileType(type):
    __hash__ = __eq__ = __instancecheck__ = __len__ = refuse
class HostileDict(dict):
    items = keys = values = __iter__ = __getitem__ = __len__ = refuse
cycle = []
cycle.append([cycle, cycle])
__import__('sys').setrecursionlimit(10000)
before = 1
value = ${expression}
after = 2
ok = nest(900)
`;
      const globals = (await globalsOf(code)) as object;
      expect(Object.keys(globals)).toStrictEqual(['before', 'after', 'ok']);
    });

    test('support a key that is no string', async () => {
      const code =
        "g = globals()\nfor k in (1, None, 1.5, b'k', b'\\xff', (1, 2)): g[k] = 0\ndel g, k";
      expect(await globalsOf(code)).toStrictEqual({ '1': 0, null: 0, '1.5': 0, k: 0 });
    });

    test('support 900 levels of nesting, both ways', async () => {
      const nested = '['.repeat(900) + ']'.repeat(900);
      const { reply } = await run('b = a', { globalsText: `{"a":${nested}}` });
      expect(reply).toBe(`G{"a":${nested},"b":${nested}}`);
    });

    test('support a result far larger than a pipe', async () => {
      const globals = (await globalsOf("a = 'x' * 5_000_000")) as { a: string };
      expect(globals.a).toHaveLength(5_000_000);
    });
  });

  describe('messy programs', () => {
    test.each([
      [
        'broken builtins',
        'import builtins\nb = vars(builtins)\nfor n in list(b):\n  b[n] = 3\na = 1',
      ],
      ['a closed stdout', 'import sys\nsys.stdout.close()\na = 1'],
      ['a missing stdout', 'import sys\ndel sys.stdout, sys.stderr\na = 1'],
      [
        'a replaced stdout',
        'import sys, io\nsys.stdout = io.StringIO()\nprint("x")\ndel sys, io\na = 1',
      ],
      ['patched os and json', 'import os, json\nos.write = json.dumps = os._exit = None\na = 1'],
      ['no modules', 'import sys\nsys.modules.clear()\na = 1'],
      ['a trace function', 'import sys\nsys.settrace(lambda *_: 1 / 0)\na = 1'],
      ['a tiny recursion limit', 'import sys\nsys.setrecursionlimit(30)\na = 1'],
      ['a huge recursion limit', 'import sys\nsys.setrecursionlimit(10**9)\na = 1'],
    ])('support %s', async (_name, code) => {
      const { status, reply } = await run(code);
      expect(reply).toMatch(/^G\{.*"a":1/);
      expect(status).toBe(0);
    });

    test('report an exception with broken builtins', async () => {
      const result = await run('import builtins\nbuiltins.len = builtins.__import__ = None\n1/0');
      expect(exceptionOf(result)).toMatchObject({ type: 'ZeroDivisionError', line: 3 });
    });

    test('support a timer whose handler would raise later', async () => {
      const code = `
import signal
def refuse(*_):
    raise ValueError
_ = signal.signal(signal.SIGALRM, refuse)
big = list(range(300000))
_ = signal.setitimer(signal.ITIMER_REAL, 0.005)
`;
      const { status, reply } = await run(code);
      expect([status, reply[0]]).toStrictEqual([0, 'G']);
    });

    test('write one result when the program forks and both go on', async () => {
      const code = 'import os\nchild = os.fork() == 0\nif not child: _ = os.wait()\nprint(child)';
      const { reply, stdout } = await run(code);
      expect(reply).toMatch(/^G\{"child":false,"_":\[\d+,0\]\}$/);
      expect(stdout).toBe('True\nFalse\n');
    });
  });

  describe('output', () => {
    // Some Pythons register one when they start.
    const WITHOUT_HANDLERS = 'import atexit; atexit._clear(); del atexit';

    test('goes to the real stdout, in full, and never into the result', async () => {
      const code =
        "import sys\nprint('é' * 100_000)\nsys.stdout.flush()\nsys.stdout.buffer.write(b'\\xff')\na = 1";
      const { reply, stdout } = await run(code);
      expect(stdout.slice(0, 100_002)).toBe(`${'é'.repeat(100_000)}\n\ufffd`);
      expect(reply).toBe('G{"a":1}');
    });

    test('of exit handlers and threads that go on is kept, after the result was taken', async () => {
      const code = `
import atexit, threading, time
def later():
    global a
    time.sleep(0.1)
    a = 2
    print('thread')
atexit.register(print, 'exit')
threading.Thread(target=later).start()
a = 1
`;
      expect(await run(code)).toMatchObject({
        reply: 'G{"a":1}',
        stdout: 'thread\nexit\n',
        status: 0,
      });
    });

    test('of exit handlers comes after the main thread’s end, as in Python', async () => {
      const code =
        'import atexit, threading\natexit.register(lambda: print(main.is_alive()))\nmain = threading.main_thread()';
      expect(await run(code)).toMatchObject({ reply: 'G{}', stdout: 'False\n', status: 0 });
    });

    test('of a thread that runs on is kept', async () => {
      const code = `
${WITHOUT_HANDLERS}
import threading, time
def work():
    time.sleep(0.2)
    print('ran')
threading.Thread(target=work).start()
`;
      expect(await run(code)).toMatchObject({ stdout: 'ran\n', stderr: '', status: 0 });
    });

    test('of a thread’s own values is kept, which are let go when it no longer counts', async () => {
      const code = `
${WITHOUT_HANDLERS}
import threading, time
class Slow:
    def __del__(self, sleep=time.sleep, out=print):
        sleep(0.2)
        out('kept', flush=True)
# Not one of the globals, whose end would be that of the values too.
threading.own = threading.local()
done = threading.Event()
def work():
    threading.own.slow = Slow()
    done.set()
threading.Thread(target=work).start()
done.wait()
time.sleep(0.05)
`;
      expect(await run(code)).toMatchObject({ stdout: 'kept\n', stderr: '', status: 0 });
    });

    test('of a shutdown that the program has put in the place of threading’s is kept', async () => {
      const code = `${WITHOUT_HANDLERS}\nimport threading\nthreading._shutdown = lambda: print("mine")`;
      expect(await run(code)).toMatchObject({ stdout: 'mine\n', status: 0 });
    });

    test('of what threading calls at its end is kept, where no thread is left', async () => {
      const code = `
${WITHOUT_HANDLERS}
import threading
thread = threading.Thread(target=int)
thread.start()
thread.join()
if hasattr(threading, '_register_atexit'):
    threading._register_atexit(print, 'exit')
else:
    print('exit')
del thread, threading
`;
      expect(await run(code)).toMatchObject({ reply: 'G{}', stdout: 'exit\n', status: 0 });
    });

    test('to a file that the program left open is flushed', async () => {
      await writeFile(join(directory, 'helper.py'), "f = open('tmp/helper', 'w')\nf.write('y')");
      await run("import helper\nf = open('tmp/file', 'w')\nf.write('x')\ndef use(): return f");
      expect(await readFile(join(directory, 'tmp/file'), 'utf8')).toBe('x');
      expect(await readFile(join(directory, 'tmp/helper'), 'utf8')).toBe('y');
    });

    test.each(['g = f', 'g = [f]', 'g = {"f": [1, f]}'])(
      'to a file that is in the last thing that can not be carried, %s, too',
      async (last) => {
        await run(`f = open('tmp/file', 'w')\nf.write('x')\n${last}`);
        expect(await readFile(join(directory, 'tmp/file'), 'utf8')).toBe('x');
      },
    );

    test('to an item after one that can not be carried, whose address it may have', async () => {
      const code = 'for n in range(50): globals()["a%d" % n] = [[object()]] if n % 2 else [[n]]';
      const kept = Object.fromEntries(
        Array.from({ length: 25 }, (_, index) => [`a${2 * index}`, [[2 * index]]]),
      );
      expect(await globalsOf(code)).toStrictEqual({ n: 49, ...kept });
    });

    test('leaves no channel that a program executed by this one could inherit', async () => {
      const code = `
import os
inherited = [fd for fd in (3, 4) if os.path.exists('/proc/self/fd/%d' % fd) and os.get_inheritable(fd)]
request_is_closed = not os.path.exists('/proc/self/fd/3')
`;
      expect(await globalsOf(code)).toStrictEqual({ inherited: [], request_is_closed: true });
    });
  });

  describe('imports', () => {
    test("are the program's own first, the runner's never", async () => {
      for (const name of ['json', 're', '_json', 'traceback', 'linecache', 'tokenize', 'helper']) {
        await writeFile(join(directory, `${name}.py`), `mine = '${name}'`);
      }
      expect(await globalsOf('import json, helper\na = json.mine + helper.mine')).toStrictEqual({
        a: 'jsonhelper',
      });
      const { traceback } = exceptionOf(await run('import traceback, linecache, re\n1/0'));
      expect(traceback).toContain('    1/0\n');
    });

    test('look in the names of python_path, which come last', async () => {
      await mkdir(join(directory, 'lib'));
      await writeFile(join(directory, 'lib/extra.py'), 'const = 42');
      await writeFile(join(directory, 'lib/string.py'), 'const = 43');
      const code = `
import sys, extra, string
a = extra.const
b = hasattr(string, 'const')
ends = [sys.path[0], sys.path[-1]]
`;
      expect(await globalsOf(code, { pythonPath: ['lib'] })).toStrictEqual({
        a: 42,
        b: false,
        ends: [directory, join(directory, 'lib')],
      });
    });
  });

  describe('exceptions', () => {
    test("show the program's lines and none of the runner's", async () => {
      const result = await run('def half(x):\n    return x / 0\n\nhalf(1)\n');
      expect(result.status).toBe(1);
      const exception = exceptionOf(result);
      expect(exception).toMatchObject({
        type: 'ZeroDivisionError',
        message: 'division by zero',
        line: 2,
      });
      expect(exception).not.toHaveProperty('module');
      expect(exception.traceback).toBe(result.stderr);
      expect(result.stderr.replace(/^ *[\^~]+\n/gm, '')).toBe(
        'Traceback (most recent call last):\n' +
          '  File "<string>", line 4, in <module>\n    half(1)\n' +
          '  File "<string>", line 2, in half\n    return x / 0\n' +
          'ZeroDivisionError: division by zero\n',
      );
    });

    test('name the module of the type, and the causes', async () => {
      await writeFile(
        join(directory, 'helper.py'),
        'class Oops(Exception): pass\ndef f(): raise Oops("x")',
      );
      const exception = exceptionOf(
        await run('import helper\ntry:\n    1/0\nexcept Exception:\n    helper.f()'),
      );
      expect(exception).toMatchObject({ type: 'Oops', module: 'helper', message: 'x', line: 5 });
      expect(exception.traceback).toContain('ZeroDivisionError');
      expect(exception.traceback).toContain('helper.Oops: x');
    });

    test('support a syntax error', async () => {
      const result = await run('a = 1\nb = = 2\n');
      expect(exceptionOf(result)).toMatchObject({ type: 'SyntaxError', line: 2 });
      expect(result.stderr).toMatch(/^ {2}File "<string>", line 2\n {4}b = = 2\n/);
      expect(result.status).toBe(1);
    });

    test.each([
      ['raise KeyboardInterrupt', 'KeyboardInterrupt'],
      ['def f(): f()\nf()', 'RecursionError'],
      ['raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})', 'Odd'],
      ['raise type("Base", (BaseException,), {})("\\ud800")', 'Base'],
      ['x = "a\\0b"'.replace('\\0', '\0'), expect.stringMatching(/^(Syntax|Value)Error$/)],
      ['x = "\ud800"', 'UnicodeEncodeError'],
    ])('support %j', async (code, type: unknown) => {
      const result = await run(code);
      expect(exceptionOf(result)).toMatchObject({ type });
      expect(result).toMatchObject({ status: 1, signal: null });
    });

    test('support a program that has used up its memory', async () => {
      const code = `
import resource
resource.setrlimit(resource.RLIMIT_AS, (200 << 20,) * 2)
hoard = []
while True:
    hoard.append(bytearray(1 << 16))
`;
      const result = await run(code);
      expect(exceptionOf(result)).toMatchObject({ type: 'MemoryError', line: 6 });
      expect(result.status).toBe(1);
    });

    test('shorten a message without end', async () => {
      const { message, traceback } = exceptionOf(await run('raise ValueError("x" * 3_000_000)'));
      expect(message).toMatch(/x\.\.\. \(2934464 more characters\)$/);
      expect(traceback.length).toBeLessThan(300_000);
    });

    test("leave Python's own way with SystemExit", async () => {
      const three = await run('import sys\nsys.exit(3)');
      expect(three).toMatchObject({ status: 3, stderr: '' });
      expect(exceptionOf(three)).toMatchObject({ type: 'SystemExit', message: '3', line: 2 });
      const text = await run('import sys\nsys.exit("bye")');
      expect(text).toMatchObject({ status: 1, stderr: 'bye\n' });
      expect(exceptionOf(text)).toMatchObject({ type: 'SystemExit', message: 'bye' });
    });

    test.each(['exit(0)', 'exit()', 'exit(False)', '__import__("os")._exit(0)'])(
      'report nothing when the program ends itself with %s',
      async (code) => {
        expect(await run(code)).toMatchObject({ status: 0, reply: '', stderr: '' });
      },
    );
  });
});
