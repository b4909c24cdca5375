// The substitute without confinement, for debugging: the same semantics, and a warning every time.
import { SafeExecError } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';
import { createJail } from '../support/jail';

const suite = useSuite();
watchLeftovers();

let warning: jest.SpyInstance;

beforeEach(() => {
  warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});

afterEach(() => {
  warning.mockRestore();
});

describe('notSafeExec', () => {
  it('updates the globals, returns what was printed, and says that nothing confined it', async () => {
    const globals = { a: 1 };
    const result = await suite.jail.notSafeExec('b = a + 1; print("hi")', globals);
    expect(globals).toEqual({ a: 1, b: 2 });
    expect(result.stdout.toString()).toBe('hi\n');
    expect(result.confinement).toEqual([]);
  });

  it('takes arguments, standard input, an environment and callbacks as safeExec does', async () => {
    const lines: string[] = [];
    const globals = {};
    await suite.jail.notSafeExec(
      'import os, sys\na = [sys.argv, input(), os.environ["A"]]\nprint("ž")\nprint("end", end="")',
      globals,
      { argv: ['x'], stdin: 'in\n', env: { A: '1' }, onStdoutLine: (line) => lines.push(line) },
    );
    expect([globals, lines]).toEqual([{ a: [['jailed_code', 'x'], 'in', '1'] }, ['ž', 'end']]);
  });

  it('rejects with what a callback or the iterable of stdin throws', async () => {
    const broken = new RangeError('the caller is broken');
    const fail = (): never => {
      throw broken;
    };
    async function* input(): AsyncGenerator<string> {
      yield await Promise.resolve('one');
      fail();
    }
    const code = 'import sys, time\nprint("x", flush=True)\ntime.sleep(600)';
    await expect(suite.jail.notSafeExec(code, {}, { onStdout: fail })).rejects.toBe(broken);
    await expect(suite.jail.notSafeExec(code, {}, { stdin: input() })).rejects.toBe(broken);
  });

  it('warns on every call, by name', async () => {
    await suite.jail.notSafeExec('', {}, { slug: 'problem 7' });
    await suite.jail.notSafeExec('', {});
    expect(warning).toHaveBeenCalledTimes(2);
    expect(warning).toHaveBeenNthCalledWith(
      1,
      expect.stringMatching(/DANGER.*problem 7/),
      'CodeJailWarning',
    );
  });

  it('has the environment of the command, and brings back what the code leaves in tmp', async () => {
    suite.jail.configure('python', { bin: 'python3', env: { KEPT: 'yes' } });
    const globals: Record<string, unknown> = {};
    const { collected } = await suite.jail.notSafeExec(
      'import os\nkept = os.environ["KEPT"]\nhome = os.environ["HOME"] == os.environ["TMPDIR"]\nwith open("tmp/a.txt", "w") as file: file.write("left")\ndel file',
      globals,
      { collect: ['*.txt'] },
    );
    expect(globals).toEqual({ kept: 'yes', home: true });
    expect(collected).toEqual([{ path: 'a.txt', content: Buffer.from('left') }]);
  });

  it('has no limits, and the rights of the caller', async () => {
    const globals = {};
    await suite.jail.notSafeExec(
      'import os\nwith open("anything", "w") as f: f.write("x" * 5000)\nuid = os.getuid()\nreads = os.access("/etc/passwd", os.R_OK)',
      globals,
      { limits: { fsize: 0, cpu: 1 } },
    );
    expect(globals).toEqual({ uid: process.getuid?.(), reads: true });
  });

  it('supports files, extraFiles and pythonPath, in a directory that is removed', async () => {
    suite.file('lib/module.py', 'const = 42');
    const globals: Record<string, unknown> = {};
    await suite.jail.notSafeExec(
      'import module, os\nconst = module.const\ntext = open("a.txt").read() + open("b.txt").read()\nwhere = os.getcwd()',
      globals,
      {
        files: [suite.file('a.txt', 'a')],
        extraFiles: [['b.txt', 'b']],
        pythonPath: [`${suite.folder}/lib`],
      },
    );
    expect(globals).toMatchObject({ const: 42, text: 'ab' });
    const { existsSync } = await import('node:fs');
    expect(existsSync(globals['where'] as string)).toBe(false);
  });

  it('rejects as safeExec does, and leaves the globals alone', async () => {
    const globals = { a: 1 };
    const error: unknown = await suite.jail
      .notSafeExec('a = 2\nraise ValueError("soup")', globals)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SafeExecError);
    expect(error).toMatchObject({ exception: { type: 'ValueError', message: 'soup', line: 2 } });
    expect(globals).toEqual({ a: 1 });
  });

  it('can not change the server: what the code patches is gone with it', async () => {
    const globals: Record<string, unknown> = {};
    await suite.jail.notSafeExec('import random\nrandom.random = lambda: 7', globals);
    await suite.jail.notSafeExec('import random\nvalue = random.random()', globals);
    expect(globals['value']).not.toBe(7);
  });
});

describe('alwaysBeUnsafe', () => {
  it('sends safeExec there, and jailCode not', async () => {
    await using jail = createJail({ alwaysBeUnsafe: true, limits: UNHURRIED });
    const globals = {};
    const { confinement } = await jail.safeExec('import os; uid = os.getuid()', globals);
    expect([globals, confinement]).toEqual([{ uid: process.getuid?.() }, []]);
    expect(warning).toHaveBeenCalledTimes(1);
    const jailed = await jail.jailCode('python', { code: 'print(open("/etc/passwd"))' });
    expect(jailed.status).toBe(1);
    expect(jailed.confinement).not.toEqual([]);
  });
});
