// CodeJail's own tests, as behaviours: what its users rely on.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SafeExecError, type Jail, type JailCodeOptions } from '../../lib/index';
import type { JailResult } from '../../lib/run/result';
import { watchLeftovers } from '../support/leftovers';
import { createJail } from '../support/jail';

const EVERY_CHARACTER = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join(
  '',
);

let jail: Jail;
let folder: string;

beforeEach(() => {
  jail = createJail({ defaults: 'codejail', limits: { realtime: 20, cpu: 10 } });
  folder = mkdtempSync(join(tmpdir(), 'suite-'));
});

afterEach(async () => {
  await jail.close();
  rmSync(folder, { recursive: true, force: true });
});

// Last, so that it looks when the suite itself has tidied up.
watchLeftovers();

async function python(code: string, options: JailCodeOptions = {}): Promise<JailResult> {
  return jail.jailCode('python', { code, ...options });
}

async function ok(code: string, options: JailCodeOptions = {}): Promise<string> {
  const result = await python(code, options);
  expect(result.stderr.toString()).toBe('');
  expect(result.status).toBe(0);
  return result.stdout.toString();
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('features', () => {
  it('supports a program that prints', async () => {
    expect(await ok('print("Hello, world!")')).toBe('Hello, world!\n');
  });

  it('supports argv', async () => {
    const code = 'import sys; print(":".join(sys.argv[1:]))';
    expect(await ok(code, { argv: ['Hello', 'world', '-x'], slug: 'a/useful/slug' })).toBe(
      'Hello:world:-x\n',
    );
  });

  it('shows the traceback of a program that raises', async () => {
    const { status, stdout, stderr } = await python("raise Exception('FAIL')");
    expect(status).toBe(1);
    expect(stdout.toString()).toBe('');
    expect(stderr.toString()).toMatch(
      /^Traceback \(most recent call last\):\n {2}File ".*jailed_code", line 1, in <module>\n[^]*Exception: FAIL\n$/,
    );
  });

  it('supports standard input', async () => {
    const code = 'import json, sys; print(sum(json.load(sys.stdin)))';
    expect(await ok(code, { stdin: '[1, 2.5, 33]' })).toBe('36.5\n');
  });

  it('gives an end of file where there is no standard input', async () => {
    expect(await ok('import sys; print(repr(sys.stdin.read()))')).toBe("''\n");
  });

  it('supports standard input that is large and binary', async () => {
    const code = 'import sys; print(sum(ord(c) for c in sys.stdin.read()))';
    expect(await ok(code, { stdin: EVERY_CHARACTER.repeat(10_000) })).toBe('326400000\n');
  });

  it('supports standard output and standard error that are large and binary', async () => {
    const text = EVERY_CHARACTER.repeat(10_000);
    for (const stream of ['stdout', 'stderr'] as const) {
      const result = await python(
        `import sys; sys.${stream}.write("".join(map(chr, range(256))) * 10000)`,
      );
      expect(result.status).toBe(0);
      expect(result[stream].equals(Buffer.from(text))).toBe(true);
    }
  });

  it('supports copied files', async () => {
    const code = 'print("Look:", open("hello.txt").read())';
    expect(await ok(code, { files: [file('hello.txt', 'Hello there.\n\n')] })).toBe(
      'Look: Hello there.\n\n\n',
    );
  });

  it('supports copied directories', async () => {
    mkdirSync(join(folder, 'pylib'));
    file('pylib/module.py', 'const = 42\n');
    const code =
      'import os\nfor row in sorted(os.walk(".")): print(row[0], sorted(row[1]), sorted(row[2]))';
    const shown = await ok(code, {
      files: [join(folder, 'pylib'), file('hello.txt', 'x')],
    });
    expect(shown).toBe(
      ". ['pylib', 'tmp'] ['hello.txt', 'jailed_code']\n./pylib [] ['module.py']\n./tmp [] []\n",
    );
  });

  it('supports executing a copied file, without code', async () => {
    const script = file('doit.py', 'import sys; print("This is my file!"); print(sys.argv[1:])');
    const result = await jail.jailCode('python', {
      files: [script],
      argv: ['doit.py', '1', '2', '3'],
    });
    expect(result.stdout.toString()).toBe("This is my file!\n['1', '2', '3']\n");
  });

  it('supports a package of a grader, run with -m from the working directory', async () => {
    mkdirSync(join(folder, 'grader'));
    file('grader/__init__.py', '');
    file('grader/tools.py', 'def grade(x): return x * 2');
    file(
      'grader/run.py',
      'import sys\nfrom grader.tools import grade\nprint(grade(int(sys.argv[1])))',
    );
    const result = await jail.jailCode('python', {
      files: [join(folder, 'grader')],
      argv: ['-m', 'grader.run', '21'],
    });
    expect(result.stderr.toString()).toBe('');
    expect(result.stdout.toString()).toBe('42\n');
  });

  it('supports extra files of text and bytes', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x41]);
    const result = await jail.jailCode('python', {
      extraFiles: [
        [
          'run.py',
          'import os; print(sorted(os.listdir("."))); print(open("also.txt", "rb").read())',
        ],
        ['also.txt', bytes],
      ],
      argv: ['run.py'],
    });
    expect(result.stdout.toString()).toBe("['also.txt', 'run.py', 'tmp']\nb'\\xff\\xfe\\x00A'\n");
  });

  it('leaves nothing of files that only the sandbox user could remove', async () => {
    const code = [
      'import os, tempfile',
      'd = tempfile.mkdtemp()',
      'open(os.path.join(d, ".dot"), "w").write("x")',
      'os.chmod(d, 0)',
    ].join('\n');
    await ok(code, { limits: { fsize: 1000 } });
  });

  it('tells the logger where a run with a slug runs', async () => {
    const lines: string[] = [];
    await using logged = createJail({
      limits: { realtime: 20 },
      logger: (level, message) => lines.push(`${level} ${message}`),
    });
    await logged.jailCode('python', { code: 'pass', slug: 'HELLO' });
    expect(lines.join('\n')).toMatch(/^info HELLO: .* in \/tmp\/codejail-\w{8}/);
  });

  it('lets no slug, no context and no program begin a line of the log', async () => {
    const lines: string[] = [];
    const forged = 'x\nwarn forged\r\u0085\u2028\x1b[31m\u009b1m';
    await using logged = createJail({
      limits: { realtime: 20 },
      logger: (level, message) => lines.push(`${level} ${message}`),
    });
    logged.overrideLimit('proxy', 1, forged);
    await logged.jailCode('python', {
      code: `import sys; sys.stderr.write(${JSON.stringify(forged)})`,
      slug: forged,
      argv: [forged],
    });
    const failed = await logged
      .safeExec(`raise ValueError(${JSON.stringify(forged)})`, {}, { slug: forged })
      .catch((error: unknown) => String(error));
    expect(lines.length).toBeGreaterThan(1);
    for (const text of [...lines, failed]) {
      expect(text).toMatch(/^[\x20-\x7e]*$/);
    }
  });
});

describe('limits', () => {
  it('denies more address space than vmem', async () => {
    const hog = 'print(len(bytearray(100000000)))';
    const small = await python(hog, { limits: { vmem: 80_000_000 } });
    expect([small.status, small.stdout.toString()]).toEqual([1, '']);
    expect(small.stderr.toString()).toContain('MemoryError');
    expect(await ok(hog, { limits: { vmem: 400_000_000 } })).toBe('100000000\n');
    expect(await ok(hog, { limits: { vmem: 0 } })).toBe('100000000\n');
  });

  it('denies more CPU than its limit, with the status of SIGXCPU', async () => {
    const result = await python('print(sum(range(10**12)))', { limits: { cpu: 1 } });
    expect(result).toMatchObject({
      status: -24,
      signal: 'SIGXCPU',
      outcome: 'cpu-limit',
      exceeded: { limit: 'cpu', allowed: 1 },
    });
    expect(result.stdout.toString()).toBe('');
  });

  it('denies running longer than realtime', async () => {
    const result = await python('import time; time.sleep(30); print("Done!")', {
      limits: { realtime: 0.5 },
    });
    expect(result).toMatchObject({
      status: -9,
      outcome: 'time-limit',
      exceeded: { limit: 'realtime', allowed: 0.5 },
    });
    expect(result.stdout.toString()).toBe('');
  });

  it('allows any running time where realtime is 0', async () => {
    const code = 'import time; time.sleep(1.2); print("Done!")';
    expect(await ok(code, { limits: { realtime: 0 } })).toBe('Done!\n');
  });

  it('denies writing beside tmp', async () => {
    const result = await python('print("Trying")\nopen("mydata.txt", "w")', {
      limits: { fsize: 1000 },
    });
    expect(result.stdout.toString()).toBe('Trying\n');
    expect(result.stderr.toString()).toMatch(/Permission denied|Read-only file system/);
    expect(result.status).toBe(1);
  });

  it('allows temporary files, and denies large ones', async () => {
    const write = (size: number): string =>
      `import tempfile\nwith tempfile.TemporaryFile() as f: f.write(b"x" * ${size}); f.flush(); f.seek(0); print(len(f.read()))`;
    expect(await ok(write(500), { limits: { fsize: 1000 } })).toBe('500\n');
    const large = await python(write(6000), { limits: { fsize: 1000 } });
    expect(large.stderr.toString()).toContain('File too large');
    expect(large.status).toBe(1);
  });

  it('denies any byte in a file by default', async () => {
    const result = await python('f = open("tmp/empty", "w"); f.write("x"); f.close()');
    expect(result.stderr.toString()).toContain('File too large');
  });

  it('denies more bytes than disk, over many small files', async () => {
    const code =
      'import os\nfor i in range(10000):\n  with open(f"tmp/{i}", "wb") as f: f.write(b"x" * 4096)';
    const result = await python(code, { limits: { fsize: 10_000, disk: 200_000, files: 0 } });
    expect(result).toMatchObject({ outcome: 'disk-limit', exceeded: { limit: 'disk' } });
    expect(result.stderr.toString()).toContain('No space left on device');
  });

  it('denies more files than its limit', async () => {
    const code = 'for i in range(10000): open(f"tmp/{i}", "w").close()';
    const result = await python(code, { limits: { files: 250 } });
    expect(result).toMatchObject({
      outcome: 'disk-limit',
      exceeded: { limit: 'files', allowed: 250, measured: 250 },
    });
  });

  it('denies the network', async () => {
    const result = await python(
      'print("Trying")\nimport urllib.request\nurllib.request.urlopen("http://127.0.0.1:9/")',
    );
    expect(result.stdout.toString()).toBe('Trying\n');
    expect(result.stderr.toString()).toContain('Permission denied');
    expect(result.status).toBe(1);
  });

  it('denies forking more than nproc', async () => {
    const result = await python('print("Forking", flush=True)\nimport os\nos.fork()', {
      limits: { nproc: 1 },
    });
    expect(result.stdout.toString()).toBe('Forking\n');
    expect(result.stderr.toString()).toContain('BlockingIOError');
  });

  it("denies the caller's environment", async () => {
    process.env['HONEY_BOO_BOO'] = 'Look!';
    try {
      const names = await ok('import os; print(sorted(os.environ))');
      expect(names).not.toContain('HONEY');
      expect(names).toContain('TMPDIR');
    } finally {
      delete process.env['HONEY_BOO_BOO'];
    }
  });

  it('allows the random device', async () => {
    expect(await ok('print(len(open("/dev/urandom", "rb").read(10)))')).toBe('10\n');
  });

  it('ends a program that reads the random device for ever', async () => {
    const result = await python('open("/dev/urandom", "rb").read()', {
      limits: { memory: 100_000_000, cpu: 5 },
    });
    expect(result.status).not.toBe(0);
  });
});

describe('exploits', () => {
  it('denies reading /etc/passwd', async () => {
    const result = await python('print(open("/etc/passwd").read())');
    expect(result.stdout.toString()).toBe('');
    expect(result.stderr.toString()).toMatch(/FileNotFoundError|PermissionError/);
  });

  it('denies finding other sandboxes', async () => {
    const code = [
      'import os',
      'for path in ["..", "/tmp", "/", "/home", "/etc", "/var", "/root", "/sys"]:',
      '    try: print(path, os.listdir(path))',
      '    except OSError: pass',
      'print("Done.")',
    ].join('\n');
    expect(await ok(code)).toBe('Done.\n');
  });

  it('denies the data behind a symlink, in a directory and by itself', async () => {
    mkdirSync(join(folder, 'pylib'));
    file('pylib/here.txt', 'here');
    const secret = file('secret.txt', 'secret');
    symlinkSync('here.txt', join(folder, 'pylib', 'good'));
    symlinkSync(secret, join(folder, 'pylib', 'bad'));
    symlinkSync('pylib/here.txt', join(folder, 'good'));
    symlinkSync(secret, join(folder, 'bad'));
    const code = [
      'import os',
      'for path in ["pylib/good", "pylib/bad", "good", "bad"]:',
      '    try: print(path, os.path.islink(path), open(path).read())',
      '    except OSError: print(path, "denied")',
    ].join('\n');
    const shown = await ok(code, {
      files: [join(folder, 'pylib'), join(folder, 'good'), join(folder, 'bad')],
    });
    expect(shown).toBe('pylib/good True here\npylib/bad denied\ngood True here\nbad denied\n');
  });
});

describe('safeExec', () => {
  it('sets values', async () => {
    const globals: Record<string, unknown> = {};
    await jail.safeExec('a = 17', globals);
    expect(globals['a']).toBe(17);
  });

  it('carries complex globals both ways, and drops what JSON cannot carry', async () => {
    const globals: Record<string, unknown> = {
      list: [1, 'two', Buffer.from('three')],
      nested: { deep: [true, null, 1.5] },
      bad: Buffer.from([0xff]),
      callback: () => 1,
    };
    await jail.safeExec(
      'seen = sorted(k for k in globals() if not k.startswith("_"))\ntup = (1, b"bytes")\nnums = {1: "one"}\nf = lambda: 1\nkept = list',
      globals,
    );
    expect(globals).toMatchObject({
      seen: ['list', 'nested'],
      tup: [1, 'bytes'],
      nums: { '1': 'one' },
      kept: [1, 'two', 'three'],
    });
    expect(globals).not.toHaveProperty('f');
    expect(globals['callback']).toBeInstanceOf(Function);
  });

  it('carries numbers exactly', async () => {
    const globals: Record<string, unknown> = {
      big: 2n ** 70n,
      nan: Number.NaN,
      infinite: -Infinity,
      zero: -0,
    };
    await jail.safeExec(
      'big += 1\nedge = 2**53 - 1\nover = 2**53\nkinds = [type(zero).__name__]',
      globals,
    );
    expect(globals['big']).toBe(2n ** 70n + 1n);
    expect(globals['nan']).toBeNaN();
    expect(globals['infinite']).toBe(-Infinity);
    expect(Object.is(globals['zero'], -0)).toBe(true);
    expect(globals['edge']).toBe(Number.MAX_SAFE_INTEGER);
    expect(globals['over']).toBe(2n ** 53n);
    expect(globals['kinds']).toEqual(['float']);
  });

  it('supports files and pythonPath, a directory and a zip file', async () => {
    mkdirSync(join(folder, 'pylib'));
    file('pylib/module.py', 'const = 42');
    const globals: Record<string, unknown> = {};
    await jail.safeExec(
      'import module\nlook = module.const\ntext = open("hello.txt").read()',
      globals,
      { files: [file('hello.txt', 'Hi')], pythonPath: [join(folder, 'pylib')] },
    );
    expect(globals).toMatchObject({ look: 42, text: 'Hi' });
    const made = await jail.jailCode('python', {
      code: 'import zipfile\nwith zipfile.ZipFile("tmp/lib.zip", "w") as z: z.writestr("zipped.py", "z = 7")',
      limits: { fsize: 10_000 },
      collect: ['lib.zip'],
    });
    const zipped: Record<string, unknown> = {};
    await jail.safeExec('import zipped\nz = zipped.z', zipped, {
      extraFiles: [['lib.zip', made.collected[0]?.content ?? '']],
      pythonPath: ['lib.zip'],
    });
    expect(zipped['z']).toBe(7);
  });

  it('lets functions call each other', async () => {
    const globals: Record<string, unknown> = {};
    await jail.safeExec('def f(): return 1723\ndef g(): return f()\nx = g()', globals);
    expect(globals['x']).toBe(1723);
  });

  it('returns what the code prints, apart from the result', async () => {
    const globals: Record<string, unknown> = {};
    const { stdout } = await jail.safeExec('a = 17; print("hi!")', globals);
    expect(globals['a']).toBe(17);
    expect(stdout.toString()).toBe('hi!\n');
  });

  it('rejects with the exception, in CodeJail’s words, and leaves the globals alone', async () => {
    const globals: Record<string, unknown> = { a: 1 };
    const failing = jail.safeExec(
      'a = 2\nraise ValueError("That\'s not how you pour soup!")',
      globals,
    );
    await expect(failing).rejects.toThrow(SafeExecError);
    const error = (await failing.catch((caught: unknown) => caught)) as SafeExecError;
    expect(error.message).toMatch(
      /^Couldn't execute jailed code: stdout: b'', stderr: b["']Traceback/,
    );
    expect(error.message).toMatch(/with status code: 1$/);
    expect(error.exception).toMatchObject({
      type: 'ValueError',
      message: "That's not how you pour soup!",
      line: 2,
    });
    expect(error.exception?.traceback).toContain('raise ValueError');
    expect(globals).toEqual({ a: 1 });
  });

  it('survives every unprintable surrogate', async () => {
    const globals: Record<string, unknown> = {};
    await jail.safeExec(
      'values = [chr(c) for c in range(0xD800, 0xE000)]\nkeys = {chr(c): 1 for c in range(0xD800, 0xE000)}',
      globals,
    );
    expect((globals['values'] as string[])[0]).toBe('\ud800');
    expect(Object.keys(globals['keys'] as object)).toHaveLength(0x800);
  });

  it('keeps a prototype from being polluted', async () => {
    const globals: Record<string, unknown> = {};
    await jail.safeExec(
      '__proto__ = {"polluted": 1}\ninner = {"__proto__": {"polluted": 1}}',
      globals,
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(globals)).toBe(Object.prototype);
    expect(Object.hasOwn(globals, '__proto__')).toBe(true);
  });

  it('rejects results that are malformed, forged twice or missing', async () => {
    for (const code of [
      'import os; os._exit(0)',
      'import sys; sys.exit(0)',
      'import os\nfor fd in range(3, 30):\n  try: os.write(fd, b"G{}")\n  except OSError: pass',
    ]) {
      await expect(jail.safeExec(code, {})).rejects.toThrow(SafeExecError);
    }
  });

  it('supports JSON text, untouched', async () => {
    const { globalsJson } = await jail.safeExecJson('b = [a, 2.0, 10**30]', '{"a": 1.0}');
    expect(globalsJson).toBe(`{"a":1.0,"b":[1.0,2.0,1${'0'.repeat(30)}]}`);
  });

  it('warns every time it runs unconfined', async () => {
    const warnings: string[] = [];
    await using unsafe = createJail({
      alwaysBeUnsafe: true,
      logger: (level, message) => {
        if (level === 'warn') warnings.push(message);
      },
    });
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const globals: Record<string, unknown> = {};
      const { confinement } = await unsafe.safeExec(
        'import os; seen = os.path.exists("/etc/passwd")',
        globals,
      );
      await unsafe.notSafeExec('a = 1', globals);
      expect(globals).toMatchObject({ seen: true, a: 1 });
      expect(confinement).toEqual([]);
      expect(warnings).toHaveLength(2);
      expect(emitted).toHaveBeenCalledTimes(2);
    } finally {
      emitted.mockRestore();
    }
  });
});
