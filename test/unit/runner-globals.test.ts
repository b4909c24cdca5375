import { exceptionOf, globalsOf, run, useDirectory } from '../support/runner';

useDirectory();

describe('the runner', () => {
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
});
