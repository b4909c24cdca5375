// Python's exec in a jail, beyond what CodeJail's own suite asks.
import { InvalidArgumentError, SafeExecError, type SafeExecOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

type Globals = Record<string, unknown>;

async function exec(
  code: string,
  globals: Globals = {},
  options?: SafeExecOptions,
): Promise<Globals> {
  await suite.jail.safeExec(code, globals, options);
  return globals;
}

async function failure(code: string, options?: SafeExecOptions): Promise<SafeExecError> {
  const error: unknown = await suite.jail
    .safeExec(code, {}, options)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SafeExecError);
  return error as SafeExecError;
}

describe('the globals', () => {
  it('are updated: what the code deletes stays the caller’s', async () => {
    const globals = await exec('del gone\nnew = kept + 1', { gone: 'here', kept: 1 });
    expect(globals).toEqual({ gone: 'here', kept: 1, new: 2 });
  });

  it('are one namespace, as in a module', async () => {
    const code = [
      'total = 0',
      'def add(x):',
      '    global total',
      '    total += x * factor',
      'class Box: size = factor',
      'add(2); add(3)',
      'box = [Box.size for _ in range(2)]',
    ].join('\n');
    expect(await exec(code, { factor: 10 })).toEqual({ factor: 10, total: 50, box: [10, 10] });
  });

  it('have no __builtins__, in either direction', async () => {
    const globals = await exec('length = len([1, 2])', { __builtins__: { len: 'broken' } });
    expect(globals).toEqual({ __builtins__: { len: 'broken' }, length: 2 });
  });

  it('keep each item that JSON carries, and drop each that it does not, whole', async () => {
    const code = [
      'import math, decimal, sys',
      'tuple_ = (1, (2,)); text = "é\\u0000\\U0001F600"; data = b"bytes"; none = None; yes = True',
      'set_ = {1}; bad = [1, {2}]; binary = b"\\xff"; number = decimal.Decimal(1); function = len',
      'circular = []; circular.append(circular)',
      'deep = []',
      'for x in range(5000): deep = [deep]',
      'del x',
      'keys = {1: "a", True: "b", 1.5: "c", None: "d"}',
    ].join('\n');
    expect(await exec(code)).toEqual({
      tuple_: [1, [2]],
      text: 'é\0😀',
      data: 'bytes',
      none: null,
      yes: true,
      keys: { '1': 'b', '1.5': 'c', null: 'd' },
    });
  });

  it('carry a result of any length that little was asked for', async () => {
    // Around what is read ahead, and what a pipe holds.
    for (const around of [16_384, 65_536, 131_072]) {
      for (const length of [around - 9, around - 8, around - 7]) {
        const globals = await exec(`a = 'x' * ${length}`);
        expect(String(globals['a'])).toHaveLength(length);
      }
    }
  });

  it('carry megabytes, both ways', async () => {
    const list = Array.from({ length: 200_000 }, (_, number) => number);
    const globals = await exec('list.reverse(); text = text * 2', { list, text: 'é'.repeat(1e6) });
    expect(globals['list']).toEqual([...list].reverse());
    expect(globals['text']).toBe('é'.repeat(2e6));
  });

  it('carry text of every length and alphabet, both ways', async () => {
    for (const length of [1, 5000, 16_350, 16_400, 40_000]) {
      const globals = { text: 'aé€😀'.repeat(length / 4).padEnd(length, '€') };
      const { size, same } = await exec('size = len(text.encode()); same = text', { ...globals });
      expect({ size, same }).toEqual({ size: Buffer.byteLength(globals.text), same: globals.text });
    }
  });

  it('are data: what looks like code stays text', async () => {
    const text = "\"); import os; os._exit(3)  # ''' \\ \n\0";
    expect(await exec('back = text[::-1][::-1]', { text })).toEqual({ text, back: text });
  });
});

describe('the code', () => {
  it('may print, read nothing from standard input, and write on every stream', async () => {
    const code = [
      'import os, sys',
      'print("printed", flush=True); sys.stdout.buffer.write(b"buffered\\n"); sys.stdout.flush()',
      'os.write(1, b"written\\n"); print("told", file=sys.stderr)',
      'rest = sys.stdin.read()',
    ].join('\n');
    const globals: Globals = {};
    const { stdout, stderr } = await suite.jail.safeExec(code, globals);
    expect(stdout.toString()).toBe('printed\nbuffered\nwritten\n');
    expect(stderr.toString()).toBe('told\n');
    expect(globals).toEqual({ rest: '' });
  });

  it('may replace what its result depends on', async () => {
    const code = [
      'import builtins, json, os, sys',
      'json.dumps = json.JSONEncoder.encode = lambda *_: "broken"',
      'sys.stdout = sys.stderr = None',
      'os.write = os.close = None',
      'builtins.isinstance = builtins.len = builtins.str = None',
      'sys.modules.clear()',
      'result = "still here"',
    ].join('\n');
    expect(await exec(code)).toEqual({ result: 'still here' });
  });

  it('may bring a json.py of its own', async () => {
    const globals = await exec(
      'import json\nmine = json.MINE',
      {},
      { extraFiles: [['json.py', 'MINE = 1']] },
    );
    expect(globals).toEqual({ mine: 1 });
  });

  it('may fork: the children give no result', async () => {
    const code =
      'import os\npid = os.fork()\nwho = "child" if pid == 0 else "parent"\nif pid: os.wait(); del pid';
    expect(await exec(code)).toEqual({ who: 'parent' });
  });

  it('may leave orphans, which end before it does', async () => {
    const code = [
      'import os, time',
      'for _ in range(5):',
      '    child = os.fork()',
      '    if child == 0:',
      '        if os.fork() == 0: os._exit(7)',
      '        os._exit(8)',
      '    os.waitpid(child, 0)',
      '    time.sleep(0.001)',
      'time.sleep(0.1)',
      'del child',
    ].join('\n');
    expect(await exec(code)).toEqual({ _: 4 });
  });

  it('may start threads, which are waited for as Python does', async () => {
    const code = [
      'import threading, time',
      'found = []',
      'def work(): time.sleep(0.2); found.append(1)',
      'thread = threading.Thread(target=work); thread.start(); thread.join()',
    ].join('\n');
    expect(await exec(code)).toEqual({ found: [1] });
  });

  it('may write its own result, in pieces, which counts as a whole', async () => {
    const written = async (...pieces: string[]): Promise<Globals> => {
      const writes = pieces.map((piece) => `os.write(4, ${JSON.stringify(piece)}.encode())`);
      const lines = ['import os, time', writes.join('; time.sleep(0.05); '), 'os._exit(0)'];
      return exec(lines.join('\n'));
    };
    expect(await written('G{"a": ', '17}')).toEqual({ a: 17 });
    expect(await written('G{"a": 1}', '\n')).toEqual({ a: 1 });
    await expect(written('G{"a": 1}', 'G{"a": 2}')).rejects.toThrow(SafeExecError);
  });

  it('may be empty, and may be long', async () => {
    expect(await exec('')).toEqual({});
    expect(await exec(`${'x = 1\n'.repeat(50_000)}y = x`)).toEqual({ x: 1, y: 1 });
  });

  it('has the limits and the walls of any program', async () => {
    const code = [
      'seen = []',
      'for attempt in (lambda: open("/etc/passwd"), lambda: __import__("socket").socket(), lambda: open("x", "w")):',
      '    try: attempt(); seen.append("reached")',
      '    except OSError: seen.append("denied")',
      'del attempt',
    ].join('\n');
    expect(await exec(code)).toEqual({ seen: ['denied', 'denied', 'denied'] });
  });
});

describe('code that fails', () => {
  it('tells its exception, its line and its source', async () => {
    const error = await failure('def f(x):\n    return 1 / x\n\nf(0)');
    expect(error.code).toBe('ERR_CODEJAIL_EXEC');
    expect(error.exception).toMatchObject({
      type: 'ZeroDivisionError',
      message: 'division by zero',
      line: 2,
    });
    expect(error.exception?.traceback).toMatch(
      /^Traceback [^]*line 4, in <module>\n {4}f\(0\)\n[^]*line 2, in f\n {4}return 1 \/ x\n/,
    );
    expect(error.exception?.traceback).not.toContain('jailed_code');
    expect(error.result).toMatchObject({ status: 1, outcome: 'exited' });
  });

  it('tells the line of a syntax error', async () => {
    const { exception } = await failure('x = 1\ny = = 2\n');
    expect(exception).toMatchObject({ type: 'SyntaxError', line: 2 });
  });

  it('supports exceptions that are hostile themselves', async () => {
    const code = [
      'class Odd(Exception):',
      '    def __str__(self): raise RuntimeError("no")',
      '    __repr__ = __str__',
      'raise Odd()',
    ].join('\n');
    expect((await failure(code)).exception).toMatchObject({ type: 'Odd', line: 4 });
    const long = await failure('raise ValueError("x" * 10_000_000)');
    expect(long.exception?.message.length).toBeLessThan(100_000);
  });

  it('has the status of sys.exit', async () => {
    const error = await failure('import sys; sys.exit(3)');
    expect(error.message).toMatch(/with status code: 3$/);
    expect(error.result.status).toBe(3);
  });

  it('rejects code that exits before its end, though with status 0', async () => {
    for (const code of ['import sys; sys.exit(0)', 'import os; os._exit(0)', 'exit()']) {
      expect((await failure(code)).message).toContain('without giving its globals back');
    }
  });

  it.each([
    ['cpu', 'while True: pass', { cpu: 1 }, -24, 'cpu-limit'],
    ['realtime', 'import time; time.sleep(600)', { realtime: 1 }, -9, 'time-limit'],
  ])('tells that it was over %s', async (_name, code, limits, status, outcome) => {
    const error = await failure(code, { limits });
    expect(error.message).toContain(`with status code: ${status}`);
    expect(error.result.outcome).toBe(outcome);
    expect(error.exception).toBeNull();
  });

  it('tells of too little memory by Python’s own exception', async () => {
    const error = await failure('x = bytearray(900_000_000)', { limits: { vmem: 300_000_000 } });
    expect(error.exception?.type).toBe('MemoryError');
  });
});

describe('what is refused', () => {
  it.each([
    ['code', async () => suite.jail.safeExec(7 as unknown as string, {})],
    ['globals', async () => suite.jail.safeExec('', [])],
    ['globalsJson', async () => suite.jail.safeExecJson('', '[1]')],
    ['globalsJson', async () => suite.jail.safeExecJson('', '{"a": ')],
    [
      'options.pythonPath[0]',
      async () => suite.jail.safeExec('', {}, { pythonPath: ['/no/such'] }),
    ],
  ])('names %s', async (argument, call) => {
    const error: unknown = await call().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error).toMatchObject({ argument });
  });

  it('names a command that is no Python', async () => {
    suite.jail.configure('cat', '/bin/cat');
    await expect(suite.jail.safeExec('', {}, { command: 'cat' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'options.command',
    });
  });

  it('names a command that nobody configured', async () => {
    await expect(suite.jail.safeExec('', {}, { command: 'pyhton' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_NOT_CONFIGURED',
    });
  });
});

describe('safeExecJson', () => {
  it('keeps the text of numbers as Python writes them', async () => {
    const text = '{"whole": 1.0, "large": 123456789012345678901234567890, "nan": NaN, "e": 1e+16}';
    const { globalsJson } = await suite.jail.safeExecJson('kinds = [type(whole).__name__]', text);
    expect(globalsJson).toContain('"whole":1.0');
    expect(globalsJson).toContain('123456789012345678901234567890');
    expect(globalsJson).toContain('"nan":NaN');
    expect(globalsJson).toContain('"e":1e+16');
    expect(globalsJson).toContain('["float"]');
  });
});
