// Where a call's files lie and whose they are, and where it starts.
import { createJail } from '../support/jail';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
const limits = UNHURRIED;

describe('a file that is put into tmp', () => {
  it('is the program’s own: it can be changed, moved and removed', async () => {
    const code = [
      'import os',
      'with open("tmp/data/in.txt", "a") as f: f.write("b")',
      'os.chmod("tmp/data/in.txt", 0o600)',
      'os.rename("tmp/data/in.txt", "tmp/out.txt")',
      'os.rmdir("tmp/data")',
      'os.remove("tmp/more")',
      'print(open("tmp/out.txt").read(), sorted(os.listdir("tmp")))',
    ].join('\n');
    const extraFiles = [
      ['tmp/data/in.txt', 'a'],
      ['tmp/more', ''],
    ] as const;
    const result = await suite.python(code, { extraFiles, limits, collect: ['*'] });
    expect(result.stderr.toString()).toBe('');
    expect(result.stdout.toString()).toBe("ab ['out.txt']\n");
    expect(result.collected).toEqual([{ path: 'out.txt', content: Buffer.from('ab') }]);
  });

  it('is there for safeExec', async () => {
    const globals: Record<string, unknown> = {};
    const code = 'with open("tmp/a", "r+") as f: a = f.read(); f.write("x")';
    await suite.jail.safeExec(code, globals, { extraFiles: [['tmp/a', 'mine']], limits });
    expect(globals['a']).toBe('mine');
  });

  it('counts to the limit disk', async () => {
    const code = [
      'try:',
      '    with open("tmp/b", "wb") as f: f.write(bytes(600_000))',
      'except OSError as e: print(e.strerror)',
    ].join('\n');
    const extraFiles = [['tmp/a', Buffer.alloc(600_000)]] as const;
    const disk = 1 << 20;
    const result = await suite.python(code, { extraFiles, limits: { ...limits, disk } });
    expect(result.stdout.toString()).toBe('No space left on device\n');
  });

  it.each([
    ['disk', { disk: 8191 }],
    ['files', { files: 2 }],
  ])('is refused beyond the limit %s', async (name, own) => {
    const extraFiles = [
      ['tmp/d/a', 'x'],
      ['tmp/d/b', 'x'],
    ] as const;
    await expect(
      suite.python('1', { extraFiles, limits: { ...limits, ...own } }),
    ).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'options.extraFiles',
      message: expect.stringContaining(`limits.${name}`) as string,
    });
  });

  it.each(['tmp', 'tmp/a/..', 'tmp/'])('can not be named %s', async (name) => {
    await expect(suite.python('1', { extraFiles: [[name, '']] })).rejects.toMatchObject({
      argument: 'options.extraFiles[0][0]',
    });
  });
});

describe('the mode of a file', () => {
  it('gives everybody what its owner may, but for writing', async () => {
    const code = [
      'import os',
      'for n in ("a", "d/b", "c"): print(oct(os.stat(n).st_mode & 0o777), os.access(n, os.W_OK))',
      'try: open("a", "a")',
      'except OSError as e: print(type(e).__name__)',
    ].join('\n');
    const extraFiles = [
      ['a', '', { mode: 0o755 }],
      ['d/b', '', { mode: 0o600 }],
      ['c', '', {}],
    ] as const;
    const { stdout } = await suite.python(code, { extraFiles, limits });
    const lines = stdout.toString().split('\n');
    expect(lines.slice(0, 3)).toEqual(['0o555 False', '0o444 False', '0o444 False']);
    expect(['PermissionError', 'OSError']).toContain(lines[3]);
  });

  it('is as it was given in tmp', async () => {
    const code = 'import os; print(oct(os.stat("tmp/a").st_mode & 0o777))';
    const extraFiles = [['tmp/a', '', { mode: 0o640 }]] as const;
    expect(await suite.printed(code, { extraFiles, limits })).toBe('0o640\n');
  });

  it('lets a command that may execute programs execute it', async () => {
    const jail = createJail({
      commands: { shell: { bin: '/bin/sh', allowExec: true } },
      limits: UNHURRIED,
    });
    try {
      const script = '#!/bin/sh\necho "run $0"\n';
      const { stdout, stderr } = await jail.jailCode('shell', {
        code: './run.sh; tmp/run.sh',
        extraFiles: [
          ['run.sh', script, { mode: 0o755 }],
          ['tmp/run.sh', script, { mode: 0o755 }],
        ],
      });
      expect(stderr.toString()).toBe('');
      expect(stdout.toString()).toBe('run ./run.sh\nrun tmp/run.sh\n');
    } finally {
      await jail.close();
    }
  });

  it.each([['0755'], [0o1000], [-1], [1.5]])('is refused as %p', async (mode) => {
    await expect(
      suite.python('1', { extraFiles: [['a', '', { mode: mode as number }]] }),
    ).rejects.toMatchObject({ argument: 'options.extraFiles[0][2].mode' });
  });
});

describe('a call with cwd: tmp', () => {
  it('starts in the writable directory', async () => {
    const code = [
      'import os, sys, beside',
      'open("out.txt", "w").write("x")',
      'print(os.path.basename(os.getcwd()), os.path.exists(__file__), beside.X, sys.argv[1:])',
    ].join('\n');
    const result = await suite.python(code, {
      cwd: 'tmp',
      argv: ['1'],
      extraFiles: [['beside.py', 'X = 2']],
      collect: ['out.txt'],
      limits,
    });
    expect(result.stderr.toString()).toBe('');
    expect(result.stdout.toString()).toBe("tmp True 2 ['1']\n");
    expect(result.collected).toHaveLength(1);
  });

  it('runs a program of its own there', async () => {
    const { stdout } = await suite.jail.jailCode('python', {
      argv: ['main.py'],
      cwd: 'tmp',
      extraFiles: [['tmp/main.py', 'print(open("main.py").read())']],
      limits,
    });
    expect(stdout.toString()).toBe('print(open("main.py").read())\n');
  });

  it('runs safeExec there, which finds what it imports beside its code', async () => {
    const globals: Record<string, unknown> = {};
    const code =
      'import os, beside, below\na = [os.path.basename(os.getcwd()), beside.X, below.X]\nopen("x", "w").close()';
    const { collected } = await suite.jail.safeExec(code, globals, {
      cwd: 'tmp',
      extraFiles: [
        ['beside.py', 'X = 1'],
        ['lib/below.py', 'X = 2'],
      ],
      pythonPath: ['lib'],
      collect: ['x'],
      limits,
    });
    expect(globals['a']).toEqual(['tmp', 1, 2]);
    expect(collected).toHaveLength(1);
  });

  it('refuses any other directory', async () => {
    await expect(suite.python('1', { cwd: '/' as '.' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'options.cwd',
    });
  });
});
