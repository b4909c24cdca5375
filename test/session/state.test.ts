// What a session keeps from step to step, what it brings back, and what it rolls back.
import { setTimeout as pause } from 'node:timers/promises';
import { InvalidArgumentError, type Session, type SessionOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function open(options: SessionOptions = {}): Promise<Session> {
  await suite.ready();
  return suite.jail.openSession(options);
}

async function valueOf(session: Session, code: string): Promise<string | null> {
  const { value, exception } = await session.run(code);
  expect(exception).toBeNull();
  return value;
}

describe('a session', () => {
  it('keeps globals, functions, classes and modules', async () => {
    const session = await open({ globals: { x: 20 } });
    await session.run(
      'import math\ndef double(n):\n    return 2 * n\nclass Point:\n    at = (1, 2)',
    );
    expect(await valueOf(session, 'double(x) + Point.at[1] + int(math.pi)')).toBe('45');
  });

  it('shows what a prompt shows: the repr of a last expression', async () => {
    const session = await open();
    expect(await valueOf(session, '1 + 1')).toBe('2');
    expect(await valueOf(session, 'a = 1')).toBeNull();
    expect(await valueOf(session, 'a = 2\nNone')).toBeNull();
    expect(await valueOf(session, '"é\\n"')).toBe("'é\\n'");
    expect(await valueOf(session, 'for i in range(2): 3')).toBeNull();
    expect(await valueOf(session, '1; 2')).toBe('2');
    expect(await valueOf(session, '_ * 21')).toBe('42');
  });

  it('sets globals before a step, and brings those back that are named', async () => {
    const session = await open();
    const { globals, omitted } = await session.run('c = a + b["k"]\nd = {1}', {
      globals: { a: 1, b: { k: 2n ** 70n } },
      get: ['c', 'd', 'e'],
    });
    expect(globals).toEqual({ c: 2n ** 70n + 1n });
    expect(omitted).toEqual([
      { name: 'd', type: 'set', why: expect.stringContaining('set') as string },
      { name: 'e', type: '', why: 'there is no such global' },
    ]);
    expect(await valueOf(session, 'a')).toBe('1');
  });

  it('shows tools the source of its classes and functions, the newest of a name', async () => {
    const session = await open();
    await session.run('class A:\n    x = 1');
    await session.run('def f(:');
    await session.run('import inspect\nclass A:\n    x = 2\n    def m(self): return 3');
    const { stdout } = await session.run(
      'print(inspect.getsource(A), inspect.getsource(A.m).strip())',
    );
    expect(stdout.toString()).toBe(
      'class A:\n    x = 2\n    def m(self): return 3\n def m(self): return 3\n',
    );
  });

  it('is the main module, where pickle and unittest find what its steps made', async () => {
    const session = await open();
    await session.run('import pickle, unittest\nclass A:\n    x = 5');
    expect(await valueOf(session, 'pickle.loads(pickle.dumps(A())).x, __name__')).toBe(
      "(5, '__main__')",
    );
    await session.run(
      'class T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 2)\n' +
        'result = unittest.main(exit=False, argv=["x"]).result',
    );
    expect(await valueOf(session, 'result.testsRun, len(result.failures)')).toBe('(1, 1)');
    const named = await open({ globals: { __name__: 'other' } });
    expect(await valueOf(named, '__name__')).toBe("'other'");
  });

  it('has the end of standard input, and does not wait for any', async () => {
    const session = await open();
    const { exception, outcome } = await session.run('input()');
    expect([exception?.type, outcome]).toEqual(['EOFError', 'exited']);
    expect(
      await valueOf(session, 'import sys\nsys.stdin.read(), open(0, closefd=False).read()'),
    ).toBe("('', '')");
  });

  it('tells what a step raised, with its line, and goes on', async () => {
    const session = await open();
    await session.run('def fail():\n    raise KeyError("k")');
    const { exception, status, outcome, state, stderr } = await session.run('x = 1\n\nfail()');
    expect(exception).toMatchObject({ type: 'KeyError', message: "'k'", line: 3 });
    expect(exception?.traceback).toContain('    raise KeyError("k")');
    expect(stderr.toString()).toBe(exception?.traceback);
    expect({ status, outcome, state }).toEqual({ status: 1, outcome: 'exited', state: 'advanced' });
    expect(await valueOf(session, 'x')).toBe('1');
  });

  it('tells a syntax error with its line', async () => {
    const session = await open();
    const { exception, state } = await session.run('x = 1\ny = = 2');
    expect(exception).toMatchObject({ type: 'SyntaxError', line: 2 });
    expect(state).toBe('advanced');
  });

  it('takes sys.exit for an exception, as a notebook does', async () => {
    const session = await open();
    const { exception, stderr } = await session.run('x = 5\nimport sys\nsys.exit("bye")');
    expect(exception).toMatchObject({ type: 'SystemExit', message: 'bye' });
    expect(stderr.toString()).toBe('bye\n');
    expect(await valueOf(session, 'x')).toBe('5');
  });

  it.each([
    ['always', 'advanced', '2'],
    ['on-success', 'rolled back', '1'],
    ['never', 'rolled back', '1'],
  ] as const)('keeps a step that raises: %s', async (keep, state, after) => {
    const session = await open({ globals: { x: 1 } });
    expect((await session.run('x = 2\n1 / 0', { keep })).state).toBe(state);
    expect(await valueOf(session, 'x')).toBe(after);
  });

  it('keeps a step that raised nothing where only those are kept', async () => {
    const session = await open();
    expect((await session.run('x = 1', { keep: 'on-success' })).state).toBe('advanced');
    expect(await valueOf(session, 'x')).toBe('1');
  });

  it('gives what a step printed, as it comes and at its end', async () => {
    const session = await open();
    const lines: string[] = [];
    const { stdout, stderr } = await session.run(
      'import sys\nfor i in range(3): print("line", i)\nprint("error", file=sys.stderr)\nsys.stdout.write("end")',
      { onStdoutLine: (line) => lines.push(line) },
    );
    expect(lines).toEqual(['line 0', 'line 1', 'line 2', 'end']);
    expect(stdout.toString()).toBe('line 0\nline 1\nline 2\nend');
    expect(stderr.toString()).toBe('error\n');
    expect((await session.run('print("next")')).stdout.toString()).toBe('next\n');
  });

  it('hears a step while it runs', async () => {
    const session = await open({ limits: UNHURRIED });
    let heard = '';
    const running = session.run(
      'import os, time\nprint("now")\nwhile not os.path.exists("tmp/go"): time.sleep(0.01)',
      { onStdoutText: (text) => (heard += text) },
    );
    while (heard === '') {
      await pause(5);
    }
    expect(heard).toBe('now\n');
    void session.close();
    await expect(running).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
  });

  it('supports a request, an output and an answer longer than a pipe', async () => {
    const session = await open();
    const text = 'é'.repeat(200_000);
    const { globals, stdout } = await session.run('print(text)\nagain = text', {
      globals: { text },
      get: ['again'],
    });
    expect(globals['again']).toBe(text);
    expect(stdout.toString()).toBe(`${text}\n`);
  });

  it('keeps the files that a step has left open', async () => {
    const session = await open();
    await session.run(
      'files = [open("tmp/%d" % n, "w+") for n in range(8)]\nfor file in files: file.write(file.name)',
    );
    await session.run('1', { functions: { unused: () => null } });
    await session.run('1', { keep: 'never' });
    const { value } = await session.run(
      'for file in files: file.seek(0)\n[file.read() == file.name for file in files] == [True] * 8',
    );
    expect(value).toBe('True');
  });

  it('continues random numbers, and branches continue alike', async () => {
    const session = await open();
    await session.run('import random\nrandom.seed(3)\nrandom.random()');
    const branches = await Promise.all(
      [1, 2].map(async () => session.run('random.random()', { keep: 'never' })),
    );
    const next = await valueOf(session, 'random.random()');
    expect(branches.map(({ value }) => value)).toEqual([next, next]);
  });

  it('shows rich displays', async () => {
    const session = await open();
    const { display, value } = await session.run(
      'class Rich:\n    def _repr_html_(self): return "<b>x</b>"\n    def _repr_png_(self): return b"\\x89PNG"\n    def _repr_svg_(self): raise ValueError\nRich()',
    );
    expect(value).toContain('Rich object');
    expect(display).toEqual([
      { mime: 'text/html', data: '<b>x</b>' },
      { mime: 'image/png', data: Buffer.from('\x89PNG', 'latin1') },
    ]);
  });

  it('has the files, modules and environment that it was opened with', async () => {
    const session = await open({
      extraFiles: [['data.txt', 'text']],
      files: [suite.file('of-host/inner/deep.txt', 'deep').replace(/\/inner\/deep\.txt$/, '')],
      pythonPath: [suite.file('lib/helper.py', 'def f(): return 7').replace(/\/helper\.py$/, '')],
      env: { GREETING: 'hi' },
    });
    expect(
      await valueOf(
        session,
        'import os, helper\n[open("data.txt").read(), open("of-host/inner/deep.txt").read(), helper.f(), os.environ["GREETING"]]',
      ),
    ).toBe("['text', 'deep', 7, 'hi']");
  });

  it('answers functions of the session, and of a step over them', async () => {
    const slugs: (string | undefined)[] = [];
    const session = await open({
      slug: 'of-session',
      functions: {
        add: (a: number, b: number) => a + b,
        who() {
          slugs.push(this.slug);
          return 'session';
        },
      },
    });
    expect(await valueOf(session, 'add(2, 3), who()')).toBe("(5, 'session')");
    const { value } = await session.run('add(2, 3), who()', {
      slug: 'of-step',
      functions: { who: () => 'step' },
    });
    expect(value).toBe("(5, 'step')");
    expect(await valueOf(session, 'who()')).toBe("'session'");
    expect(slugs).toEqual(['of-session', 'of-session']);
  });

  it('refuses what no step may have of its own', async () => {
    const session = await open();
    await expect(session.run('1', { limits: { memory: 1 } as object })).rejects.toThrow(
      InvalidArgumentError,
    );
    await expect(session.run(1 as unknown as string)).rejects.toThrow('code must be a string');
    await expect(session.run('1', { keep: 'maybe' as 'never' })).rejects.toThrow(
      "options.keep must be 'always', 'on-success' or 'never'",
    );
    await expect(session.run('1', { argv: [] } as object)).rejects.toThrow('is not an option');
    expect(await valueOf(session, '1')).toBe('1');
  });
});

describe('a step that left threads or processes', () => {
  it('is kept, the next one runs in its process, and is branchable again when none is left', async () => {
    const session = await open();
    const left = await session.run(
      'import threading\ngo = threading.Event()\nseen = []\nt = threading.Thread(target=lambda: (go.wait(), seen.append(1)))\nt.start()',
    );
    expect(left).toMatchObject({ state: 'advanced', branchable: false });
    await expect(session.run('1', { keep: 'never' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_SETUP',
      message: expect.stringContaining('branchable: false') as string,
    });
    await expect(session.fork()).rejects.toMatchObject({ code: 'ERR_CODEJAIL_SETUP' });
    expect(await session.run('x = 1')).toMatchObject({ branchable: false });
    expect(await session.run('go.set()\nt.join()\n(x, seen)')).toMatchObject({
      value: '(1, [1])',
      branchable: true,
    });
    expect((await session.run('x', { keep: 'never' })).value).toBe('1');
  });

  it('loses its state with a step that is ended', async () => {
    const session = await open({ limits: UNHURRIED });
    await session.run(
      'import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
    );
    await expect(session.run('import os; os._exit(1)')).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_SESSION_LOST',
      reason: 'ended',
    });
    expect(session.isOpen).toBe(false);
    await expect(session.run('1')).rejects.toMatchObject({ code: 'ERR_CODEJAIL_SESSION_LOST' });
  });

  it('may not use the processor for ever between steps', async () => {
    const session = await open({ limits: { ...UNHURRIED, cpu: 0.5 } });
    await session.run(
      'import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=True).start()',
      {
        limits: { cpu: 20 },
      },
    );
    while (session.isOpen) {
      await pause(20);
    }
    await expect(session.run('1')).rejects.toMatchObject({ reason: 'cpu' });
  });
});

describe('forks of a session', () => {
  it('go on from the same state, each by itself', async () => {
    const session = await open({ globals: { x: [1] } });
    await session.run('x.append(2)');
    const other = await session.fork();
    await Promise.all([session.run('x.append("one")'), other.run('x.append("other")')]);
    const third = await other.fork();
    await third.run('x.clear()');
    expect(await valueOf(session, 'x')).toBe("[1, 2, 'one']");
    expect(await valueOf(other, 'x')).toBe("[1, 2, 'other']");
    expect(await valueOf(third, 'x')).toBe('[]');
  });

  it('have their files in common, and end by themselves', async () => {
    const session = await open();
    const other = await session.fork();
    await other.files.write('shared.txt', 'text');
    expect(await valueOf(session, 'open("tmp/shared.txt").read()')).toBe("'text'");
    await other.close();
    await expect(other.run('1')).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    expect(await valueOf(session, '1')).toBe('1');
    const third = await session.fork();
    await session.close();
    expect(await valueOf(third, '2')).toBe('2');
    await third.close();
  });

  it('are refused where as many are open as can be', async () => {
    const session = await open();
    const forks: Session[] = [];
    for (let i = 1; i < 16; i += 1) {
      forks.push(await session.fork());
    }
    await expect(session.fork()).rejects.toThrow('16 sessions have this jail in common');
    await forks[0]?.close();
    const another = await session.fork();
    expect(await valueOf(another, '1')).toBe('1');
  });
});

describe('the files of a session', () => {
  it("are written, read and listed from outside, and are the program's own", async () => {
    const session = await open();
    await session.files.write('in/put.csv', 'a,b\n');
    await session.files.write('bytes.bin', Uint8Array.from([0, 255]));
    expect(await valueOf(session, 'open("tmp/in/put.csv", "a").write("1,2\\n")')).toBe('4');
    await session.run('open("tmp/out.txt", "w").write("é")');
    expect(String(await session.files.read('in/put.csv'))).toBe('a,b\n1,2\n');
    expect(await session.files.read('bytes.bin')).toEqual(Buffer.from([0, 255]));
    expect(String(await session.files.read('out.txt'))).toBe('é');
    expect(await session.files.list()).toEqual(['bytes.bin', 'in/put.csv', 'out.txt']);
    await session.files.write('bytes.bin', 'short');
    expect(String(await session.files.read('bytes.bin'))).toBe('short');
  });

  it('follow no link that a program has put there, and wait for no FIFO', async () => {
    const session = await open();
    await session.run(
      'import os\nos.symlink("/etc/passwd", "tmp/link")\nos.symlink("/", "tmp/root")\nos.mkfifo("tmp/fifo")\nos.mkdir("tmp/dir")',
    );
    expect(await session.files.read('link')).toBeNull();
    expect(await session.files.read('root/etc/passwd')).toBeNull();
    expect(await session.files.read('fifo')).toBeNull();
    expect(await session.files.read('missing')).toBeNull();
    for (const name of ['link', 'fifo', 'dir']) {
      await expect(session.files.write(name, 'x')).rejects.toMatchObject({
        code: 'ERR_CODEJAIL_SESSION_FILE',
        path: name,
      });
    }
    for (const name of ['../x', '/x', '', 'a/../b']) {
      await expect(session.files.write(name, 'x')).rejects.toThrow(InvalidArgumentError);
      await expect(session.files.read(name)).rejects.toThrow(InvalidArgumentError);
    }
  });

  it('leave nothing where there was no room for one', async () => {
    const session = await open({ limits: { ...UNHURRIED, disk: 2 ** 20, fsize: 2 ** 24 } });
    await expect(session.files.write('large', Buffer.alloc(2 ** 21))).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_SESSION_FILE',
      errnoName: 'ENOSPC',
    });
    expect(await session.files.list()).toEqual([]);
    await session.files.write('small', 'x');
    expect(await session.files.list()).toEqual(['small']);
  });

  it('are collected after a step', async () => {
    const session = await open();
    const { collected } = await session.run('open("tmp/a.txt", "w").write("1")', {
      collect: ['*.txt'],
    });
    expect(collected).toEqual([{ path: 'a.txt', content: Buffer.from('1') }]);
  });
});

describe('code that changes what waits for its steps', () => {
  // The frames below a step's are this project's.
  const REPLACED = (body: string): string => `
import os, sys
def forever(*_):
    while True: ${body}
frame = sys._getframe()
while frame is not None:
    if "run_step" in frame.f_globals:
        frame.f_globals["read_request"] = forever
    frame = frame.f_back`;

  it('may not use the processor for ever either', async () => {
    const session = await open({ limits: { ...UNHURRIED, cpu: 0.5 } });
    await session.run(REPLACED('pass'), { limits: { cpu: 20 } });
    while (session.isOpen) {
      await pause(50);
    }
    await expect(session.run('1')).rejects.toMatchObject({ reason: 'cpu' });
  });

  it('may not fill the memory of the server', async () => {
    const session = await open({ limits: UNHURRIED });
    await session.run(REPLACED('os.write(1, b"x" * 65536)'));
    while (session.isOpen) {
      await pause(20);
    }
    await expect(session.run('1')).rejects.toMatchObject({ reason: 'killed' });
  });
});
