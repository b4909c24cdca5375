// Functions of the server's that a jailed program calls.
import { setTimeout as pause } from 'node:timers/promises';
import {
  hostFunction,
  InvalidArgumentError,
  type SafeExecError,
  type HostCall,
  type HostFunctions,
  type SafeExecOptions,
  type StandardSchema,
} from '../../lib/index';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function exec(
  code: string,
  functions: HostFunctions,
  options: SafeExecOptions = {},
): Promise<Record<string, unknown>> {
  const result = await suite.jail.safeExec(code, {}, { ...options, functions });
  expect(result.confinement.includes('warm')).toBe(mode === 'warm');
  return result.globals;
}

/** What a program says of the exception that a call raised. */
const CAUGHT = `
def caught(call):
    try:
        return call()
    except BaseException as error:
        return '%s.%s: %s' % (type(error).__module__, type(error).__name__, error)
`;

/** A validator as the libraries make them. */
function schema<Output>(check: (value: unknown) => Output): StandardSchema<Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        await Promise.resolve();
        try {
          return { value: check(value) };
        } catch (error) {
          return { issues: [{ message: (error as Error).message, path: ['id'] }] };
        }
      },
    },
  };
}

const withId = schema((value) => {
  const { id } = value as { id?: unknown };
  if (typeof id !== 'number') {
    throw new Error('must be a number');
  }
  return { id };
});

describe('a function of the server', () => {
  it('is called as an ordinary function, and gives what it gives', async () => {
    const functions = { add: (a: number, b: number) => a + b, later: async () => pause(5, 'now') };
    expect(
      await exec('a = add(2, 3)\nb = [add(i, i) for i in range(3)]\nc = later()', functions),
    ).toEqual({ a: 5, b: [0, 2, 4], c: 'now' });
  });

  it('is given arguments by place and by name', async () => {
    const functions = { echo: (...args: unknown[]) => args };
    expect(await exec('a = echo(1, "x", key=[2])\nb = echo()\nc = echo(k=1)', functions)).toEqual({
      a: [1, 'x', { key: [2] }],
      b: [],
      c: [{ k: 1 }],
    });
  });

  it('carries both ways what globals carry, exactly', async () => {
    const values: unknown[] = [];
    const functions = {
      echo: (value: unknown) => {
        values.push(value);
        return value;
      },
    };
    const code = `
given = [None, True, 1.5, 2**70, -0.0, float('inf'), 'žluť \\ud800 \\0', {'__proto__': 1, 'b': [[]]}, []]
same = [repr(echo(value)) == repr(value) for value in given]
deep = echo(b'bytes')
nothing = echo(None)`;
    expect(await exec(code, functions)).toMatchObject({
      same: Array.from({ length: 9 }, () => true),
      deep: 'bytes',
      nothing: null,
    });
    expect(values[3]).toBe(2n ** 70n);
    expect(Object.keys(values[7] as object)).toEqual(['__proto__', 'b']);
  });

  it('may be given and give much', async () => {
    const functions = { twice: (text: string) => text + text };
    const code = 'a = len(twice("ž" * 300000))\nb = twice("x" * 400000) == "x" * 800000';
    expect(await exec(code, functions)).toEqual({ a: 600_000, b: true });
  });

  it('raises HostError where it fails, with its message only', async () => {
    const functions = {
      fails: () => {
        throw new Error('no such row');
      },
      rejects: async () => Promise.reject(new TypeError('not now')),
      odd: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- a caller's code may
        throw 'text';
      },
      unsendable: () => () => 1,
    };
    const code = `${CAUGHT}
a = [caught(fails), caught(rejects), caught(odd), caught(unsendable)]
try:
    fails()
except HostError as error:
    b = isinstance(error, Exception)
del caught`;
    expect(await exec(code, functions)).toEqual({
      a: [
        'codejail.HostError: no such row',
        'codejail.HostError: not now',
        'codejail.HostError: text',
        "codejail.HostError: unsendable() gave what JSON can't carry",
      ],
      b: true,
    });
  });

  it('ends the program where nobody catches that, and is named in its traceback', async () => {
    const functions = {
      lookup: () => {
        throw new Error('no such row');
      },
    };
    const failed = suite.jail.safeExec('x = 1\nlookup(7)', {}, { functions });
    await expect(failed).rejects.toMatchObject({
      exception: { type: 'HostError', module: 'codejail', message: 'no such row', line: 2 },
    });
    const { exception } = (await failed.catch((error: unknown) => error)) as SafeExecError;
    expect(exception?.traceback).toMatch(/line 2, in <module>\n.*\n?.*in lookup\n/s);
  });

  it('refuses what JSON can’t carry at the call, and asks nobody', async () => {
    const asked = jest.fn();
    const code = `${CAUGHT}\na = [caught(lambda: f({1, 2})), caught(lambda: f(x=object()))]\ndel caught`;
    expect(await exec(code, { f: asked })).toEqual({
      a: ['builtins.TypeError: JSON has no set', 'builtins.TypeError: JSON has no object'],
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it('is told who has called it', async () => {
    const calls: HostCall[] = [];
    const functions: HostFunctions = {
      plain(this: HostCall, ...args: unknown[]) {
        calls.push(this);
        return args.length;
      },
      described: hostFunction({
        run: (_, call) => {
          calls.push(call);
        },
      }),
    };
    await exec('plain(1, k=2)\ndescribed(3)', functions, { slug: 'exercise 7' });
    expect(calls).toMatchObject([
      { name: 'plain', slug: 'exercise 7', args: [1], kwargs: { k: 2 } },
      { name: 'described', slug: 'exercise 7', args: [3], kwargs: {} },
    ]);
    expect(calls.map(({ signal }) => signal instanceof AbortSignal)).toEqual([true, true]);
  });

  it('is no global that comes back, nor one that is told to be missing', async () => {
    const { globals, omitted } = await suite.jail.safeExec(
      'a = f()\ng = f',
      { f: 'was there' },
      { functions: { f: () => 1 } },
    );
    expect([globals, omitted.map(({ name }) => name)]).toEqual([{ a: 1 }, ['g']]);
  });

  it('works in safeExecJson, with numbers as they are', async () => {
    const { globalsJson } = await suite.jail.safeExecJson('y = half(x)', '{"x": 3.0}', {
      functions: { half: (x: number) => x / 2 },
    });
    expect(globalsJson).toBe('{"x":3.0,"y":1.5}');
  });
});

describe('a described function', () => {
  it('has its arguments checked before it sees them', async () => {
    const run = jest.fn(({ id }: { id: number }) => id * 2);
    const lookup = hostFunction({ parameters: withId, run });
    const code = `${CAUGHT}\na = lookup(id=4)\nb = caught(lambda: lookup(id="4"))\ndel caught`;
    expect(await exec(code, { lookup })).toEqual({
      a: 8,
      b: 'codejail.HostError: id: must be a number',
    });
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('binds arguments to its names as Python does', async () => {
    const f = hostFunction({ names: ['id', 'deep'], run: (value) => value });
    const code = `${CAUGHT}
a = [f(1), f(1, True), f(deep=1, id=2), f()]
b = [caught(lambda: f(1, 2, 3)), caught(lambda: f(1, id=2)), caught(lambda: f(1, x=2))]
del caught`;
    expect(await exec(code, { f })).toEqual({
      a: [{ id: 1 }, { id: 1, deep: true }, { deep: 1, id: 2 }, {}],
      b: [
        'builtins.TypeError: f() takes at most 2 arguments (3 given)',
        "builtins.TypeError: f() got multiple values for argument 'id'",
        "builtins.TypeError: f() got an unexpected keyword argument 'x'",
      ],
    });
  });

  it('may be called so often, and no more', async () => {
    const run = jest.fn(() => 1);
    const code = `${CAUGHT}\na = [caught(f) for _ in range(4)]\ndel caught`;
    expect(await exec(code, { f: hostFunction({ run, maxCalls: 2 }) })).toEqual({
      a: [
        1,
        1,
        'codejail.HostError: f() may be called 2 times',
        'codejail.HostError: f() may be called 2 times',
      ],
    });
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('is told when its time is over, and the program goes on', async () => {
    let reason: unknown;
    const slow = hostFunction({
      timeout: 0.05,
      run: async (_, { signal }) => {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            resolve();
          });
        });
        return 'too late';
      },
    });
    const code = `${CAUGHT}\na = caught(slow)\nb = 1\ndel caught`;
    expect(await exec(code, { slow })).toEqual({
      a: 'codejail.HostError: slow() took longer than 0.05 s',
      b: 1,
    });
    expect((reason as Error).message).toBe('slow() took longer than 0.05 s');
  });
});

describe('a program that asks', () => {
  it('may do so from several threads, each of which has its own answer', async () => {
    const code = `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(24) as pool:
    a = list(pool.map(f, range(300))) == [[i, 'x' * (i * 37 % 5000)] for i in range(300)]`;
    const f = async (i: number): Promise<unknown[]> => {
      await pause(i % 7);
      return [i, 'x'.repeat((i * 37) % 5000)];
    };
    expect(await exec(code, { f }, { limits: { nproc: 40 } })).toEqual({ a: true });
  });

  it('has at most 16 answered at a time', async () => {
    let running = 0;
    let most = 0;
    let go: () => void = () => undefined;
    const full = new Promise<void>((resolve) => (go = resolve));
    const f = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      if (running === 16) {
        // Time for a 17th.
        void pause(100).then(go);
      }
      await full;
      running -= 1;
    };
    const code = `
from threading import Thread
threads = [Thread(target=f) for _ in range(30)]
for thread in threads: thread.start()
for thread in threads: thread.join()
del threads, thread, Thread`;
    expect(await exec(code, { f }, { limits: { nproc: 40 } })).toEqual({});
    expect(most).toBe(16);
  });

  it('may do so from asyncio', async () => {
    const code = `
import asyncio
async def main():
    return await asyncio.gather(*[asyncio.to_thread(f, i) for i in range(5)])
a = asyncio.run(main())
del asyncio, main`;
    const f = async (i: number): Promise<number> => pause(10 - i, i * i);
    expect(await exec(code, { f }, { limits: { nproc: 20 } })).toEqual({ a: [0, 1, 4, 9, 16] });
  });

  it('may give up waiting by a handler of its own, and ask again', async () => {
    const code = `
import signal
class Late(Exception): pass
def late(*_): raise Late
signal.signal(signal.SIGALRM, late)
a = []
for i in range(20):
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        a.append(f(i))
    except Late:
        a.append('late')
    signal.setitimer(signal.ITIMER_REAL, 0)
del signal, Late, late, i`;
    const f = async (i: number): Promise<number> => pause(i % 5 === 4 ? 300 : 0, i);
    const { a } = await exec(code, { f });
    expect((a as unknown[]).filter((_, i) => i % 5 === 4)).toEqual([
      'late',
      'late',
      'late',
      'late',
    ]);
    // On a busy machine others may be late too; none is another's answer.
    expect((a as unknown[]).every((given, i) => given === i || given === 'late')).toBe(true);
  });

  it('may be interrupted in the middle of long answers, and has each whole or not at all', async () => {
    const code = `
import signal
class Late(Exception): pass
def late(*_): raise Late
signal.signal(signal.SIGALRM, late)
wrong = []
right = 0
answer = None
for i in range(60):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005 * 1.3 ** (i % 20))
        try:
            answer = f(i)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Late:
        continue
    except Exception as error:
        wrong.append(str(error))
        continue
    if answer == [i, 'x' * 400000]:
        right += 1
    else:
        wrong.append(i)
last = f(60) == [60, 'x' * 400000]
del signal, Late, late, i, answer, f`;
    const f = (i: number): unknown[] => [i, 'x'.repeat(400_000)];
    expect(await exec(code, { f })).toMatchObject({ wrong: [], last: true });
  });

  it('asks in vain in a process of its own making', async () => {
    const asked = jest.fn();
    const code = `${CAUGHT}
import os
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, caught(f).encode())
    os._exit(0)
os.wait()
a = os.read(reading, 1000).decode()
del os, caught, reading, writing`;
    expect(await exec(code, { f: asked }, { limits: { nproc: 20 } })).toEqual({
      a: 'codejail.HostError: only the process that the server has started may call its functions',
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it('asks in vain when its result is given', async () => {
    const seen: string[] = [];
    const code = `${CAUGHT}
import threading, time
def late(f=f, caught=caught):
    time.sleep(0.3)
    print(caught(f), flush=True)
threading.Thread(target=late).start()
del threading, late, caught`;
    await exec(
      code,
      { f: () => 1 },
      {
        limits: { nproc: 20 },
        onStdoutLine: (line) => seen.push(line),
      },
    );
    expect(seen).toEqual(['codejail.HostError: the program has given its result already']);
  });

  it('sees no more than an error where it has closed the way itself', async () => {
    const code = `${CAUGHT}\nimport os\nos.close(3)\na = [caught(f), caught(f)]\ndel os, caught`;
    const { a } = await exec(code, { f: () => 1 });
    const told = (a as string[]).map((text) => text.startsWith('codejail.HostError: '));
    expect(told).toEqual([true, true]);
  });

  it('is ended at its time, while the server answers, which is told so', async () => {
    let told = false;
    const f = async function (this: HostCall): Promise<void> {
      await new Promise<void>((resolve) => {
        this.signal.addEventListener('abort', () => {
          told = true;
          resolve();
        });
      });
    };
    await expect(
      suite.jail.safeExec('f()', {}, { functions: { f }, limits: { realtime: 1 } }),
    ).rejects.toMatchObject({ exceeded: { limit: 'realtime' } });
    expect(told).toBe(true);
  });

  it('can be aborted while the server answers, which is told so', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let told = false;
    const f = async function (this: HostCall): Promise<void> {
      this.signal.addEventListener('abort', () => {
        told = true;
      });
      controller.abort(new Error('changed my mind'));
      await pause(50);
    };
    await expect(suite.jail.safeExec('f()', {}, { functions: { f }, signal })).rejects.toThrow(
      'changed my mind',
    );
    expect(told).toBe(true);
  });

  it('is bounded in what it asks by the limit of output', async () => {
    const failed = suite.jail.safeExec(
      'while True: f("x" * 10000)',
      {},
      {
        functions: { f: hostFunction({ run: () => 1, maxCalls: 1_000_000 }) },
        limits: { output: 1_000_000 },
      },
    );
    await expect(failed).rejects.toMatchObject({ exceeded: { limit: 'output' } });
  });
});

it('serves a program that is not confined alike', async () => {
  const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const { globals } = await suite.jail.notSafeExec(
    'a = f(1)',
    {},
    {
      functions: { f: (i: number) => i + 1 },
    },
  );
  expect(globals).toEqual({ a: 2 });
  warning.mockRestore();
});

it.each<[string, unknown, string]>([
  ['no object', 7, 'options.functions'],
  ['no function', { f: 7 }, 'options.functions.f'],
  ['no name of Python’s', { 'a b': () => 1 }, 'options.functions["a b"]'],
  ['a keyword', { lambda: () => 1 }, 'options.functions.lambda'],
  ['the name of the exception', { HostError: () => 1 }, 'options.functions.HostError'],
  ['a special name', { __builtins__: () => 1 }, 'options.functions.__builtins__'],
  ['nothing to run', { f: {} }, 'options.functions.f.run'],
  ['no validator', { f: { run: () => 1, parameters: {} } }, 'options.functions.f.parameters'],
  ['a name twice', { f: { run: () => 1, names: ['a', 'a'] } }, 'options.functions.f.names'],
  ['no time', { f: { run: () => 1, timeout: 0 } }, 'options.functions.f.timeout'],
  ['a count that is none', { f: { run: () => 1, maxCalls: -1 } }, 'options.functions.f.maxCalls'],
  ['an unknown option', { f: { run: () => 1, time: 1 } }, 'options.functions.f.time'],
])('refuses %s', async (_, functions, argument) => {
  const options = { functions } as unknown as SafeExecOptions;
  const refused = suite.jail.safeExec('pass', {}, options);
  await expect(refused).rejects.toMatchObject({ argument });
  await expect(refused).rejects.toThrow(InvalidArgumentError);
});
