import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { exceptionOf, globalsOf, pathOf, run, useDirectory } from '../support/runner';

useDirectory();

describe('the runner', () => {
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
      await writeFile(pathOf('helper.py'), "f = open('tmp/helper', 'w')\nf.write('y')");
      await run("import helper\nf = open('tmp/file', 'w')\nf.write('x')\ndef use(): return f");
      expect(await readFile(pathOf('tmp/file'), 'utf8')).toBe('x');
      expect(await readFile(pathOf('tmp/helper'), 'utf8')).toBe('y');
    });

    test.each(['g = f', 'g = [f]', 'g = {"f": [1, f]}'])(
      'to a file that is in the last thing that can not be carried, %s, too',
      async (last) => {
        await run(`f = open('tmp/file', 'w')\nf.write('x')\n${last}`);
        expect(await readFile(pathOf('tmp/file'), 'utf8')).toBe('x');
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
        await writeFile(pathOf(`${name}.py`), `mine = '${name}'`);
      }
      expect(await globalsOf('import json, helper\na = json.mine + helper.mine')).toStrictEqual({
        a: 'jsonhelper',
      });
      const { traceback } = exceptionOf(await run('import traceback, linecache, re\n1/0'));
      expect(traceback).toContain('    1/0\n');
    });

    test('look in the names of python_path, which come last', async () => {
      await mkdir(pathOf('lib'));
      await writeFile(pathOf('lib/extra.py'), 'const = 42');
      await writeFile(pathOf('lib/string.py'), 'const = 43');
      const code = `
import sys, extra, string
a = extra.const
b = hasattr(string, 'const')
ends = [sys.path[0], sys.path[-1]]
`;
      expect(await globalsOf(code, { pythonPath: ['lib'] })).toStrictEqual({
        a: 42,
        b: false,
        ends: [pathOf('.'), pathOf('lib')],
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
      await writeFile(pathOf('helper.py'), 'class Oops(Exception): pass\ndef f(): raise Oops("x")');
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
