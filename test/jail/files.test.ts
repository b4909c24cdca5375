// What is put into a jail: the host's files, and those that are made for the call.
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JailCodeOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();
beforeEach(async () => suite.ready());

const LIST = [
  'import os',
  'for row in sorted(os.walk(".")): print(row[0], sorted(row[1]), sorted(row[2]))',
].join('\n');

describe('files of the host', () => {
  it('supports several at once, directories with all below them, and file: URLs', async () => {
    suite.file('lib/one/two/deep.py', 'value = 2');
    suite.file('lib/empty/.keep');
    const plain = suite.file('plain.txt', 'plain');
    const shown = await suite.printed(`${LIST}\nimport lib.one.two.deep as d; print(d.value)`, {
      files: [pathToFileURL(plain), `${join(suite.folder, 'lib')}/`],
    });
    expect(shown).toBe(
      [
        ". ['lib', 'tmp'] ['jailed_code', 'plain.txt']",
        "./lib ['empty', 'one'] []",
        "./lib/empty [] ['.keep']",
        "./lib/one ['two'] []",
        "./lib/one/two [] ['deep.py']",
        './tmp [] []',
        '2\n',
      ].join('\n'),
    );
  });

  it('supports names with blanks, line breaks and other scripts', async () => {
    const names = ['with blank', 'new\nline', 'né中😀', "it's"];
    const files = names.map((name) => suite.file(name, name));
    const shown = await suite.printed(
      'import json, os; print(json.dumps({n: open(n).read() for n in os.listdir(".") if os.path.isfile(n) and n != "jailed_code"}))',
      { files },
    );
    expect(JSON.parse(shown)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  });

  it('keeps the bit that makes a file executable, and links as they are', async () => {
    const script = suite.file('script', '#!/bin/sh\n', 0o755);
    const data = suite.file('data', 'data', 0o644);
    symlinkSync('data', join(suite.folder, 'relative'));
    symlinkSync('/no/such/file', join(suite.folder, 'dangling'));
    const code = [
      'import os',
      'print([bool(os.stat(n).st_mode & 0o111) for n in ("script", "data")])',
      'print([os.readlink(n) for n in ("relative", "dangling")], open("relative").read())',
    ].join('\n');
    const links = ['relative', 'dangling'].map((name) => join(suite.folder, name));
    expect(await suite.printed(code, { files: [script, data, ...links] })).toBe(
      "[True, False]\n['data', '/no/such/file'] data\n",
    );
  });

  it('supports large ones, which do not count against the disk', async () => {
    const large = suite.file('large', Buffer.alloc(30_000_000, 'x'));
    const code = 'import os; print(os.path.getsize("large"))';
    expect(await suite.printed(code, { files: [large], limits: { disk: 1_000_000 } })).toBe(
      '30000000\n',
    );
  });

  it('supports extra files with the longest of names', async () => {
    const name = `${'x'.repeat(200)}/`.repeat(20) + 'y'.repeat(52);
    const code = `print(open(${JSON.stringify(name)}).read())`;
    expect(await suite.printed(code, { extraFiles: [[name, 'found']] })).toBe('found\n');
  });

  it('supports many extra files, out of the time of the program', async () => {
    const extraFiles = Array.from({ length: 60_000 }, (_, number) => [`f${number}`, ''] as const);
    const { outcome, stdout, usage } = await suite.python(
      'import os; print(len(os.listdir(".")))',
      { extraFiles, limits: { cpu: 1, realtime: 10 } },
    );
    expect(stdout.toString()).toBe('60002\n');
    expect(outcome).toBe('exited');
    // Python's own; to write so many takes more.
    expect(usage.userMs + usage.systemMs).toBeLessThan(300);
  });

  it('supports many', async () => {
    for (let number = 0; number < 2000; number += 1) {
      suite.file(`many/${number % 20}/${number}`, String(number));
    }
    const code = 'import os; print(sum(len(files) for _, _, files in os.walk("many")))';
    expect(await suite.printed(code, { files: [join(suite.folder, 'many')] })).toBe('2000\n');
  });

  it('denies changing, removing and renaming them, in the jail and on the host', async () => {
    const path = suite.file('given', 'as it was', 0o666);
    mkdirSync(join(suite.folder, 'directory'), { mode: 0o777 });
    chmodSync(join(suite.folder, 'directory'), 0o777);
    const code = [
      'import os',
      'for attempt in (lambda: open("given", "w"), lambda: os.remove("given"),',
      '        lambda: os.rename("given", "tmp/given"), lambda: os.rename("given", "other"),',
      '        lambda: open("directory/new", "w"), lambda: os.mkdir("new"), lambda: os.rmdir("directory"),',
      '        lambda: os.remove("jailed_code"), lambda: os.symlink("x", "link"),',
      '        lambda: os.truncate("given", 0), lambda: os.rmdir("tmp")):',
      '    try: attempt(); print("done")',
      '    except OSError: pass',
      'print(open("given").read())',
    ].join('\n');
    const shown = await suite.printed(code, {
      files: [path, join(suite.folder, 'directory')],
      limits: { fsize: 1000 },
    });
    expect(shown).toBe('as it was\n');
  });

  it('refuses a directory with a FIFO in it, rather than wait for who writes', async () => {
    const { execFileSync } = await import('node:child_process');
    suite.file('odd/file', 'x');
    execFileSync('mkfifo', [join(suite.folder, 'odd', 'fifo')]);
    await expect(
      suite.python('print(1)', { files: [join(suite.folder, 'odd')] }),
    ).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'options.files[0]',
      message: expect.stringContaining(join(suite.folder, 'odd', 'fifo')) as string,
    });
  });

  it('refuses a directory that nests too deeply, and says so', async () => {
    suite.file(`deep/${'d/'.repeat(80)}file`, 'x');
    await expect(
      suite.python('print(1)', { files: [join(suite.folder, 'deep')] }),
    ).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      message: expect.stringContaining('deeper than 64') as string,
    });
  });

  describe('are bounded by the limit input', () => {
    const refusal = (argument: string): object => ({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument,
      message: expect.stringContaining('over the limit `input`, 65536 bytes') as string,
    });
    const limits = { input: 65_536 };

    it('which lets in what just fits', async () => {
      const files = [suite.file('a', Buffer.alloc(32_768, 'a')), suite.file('b', 'b')];
      const extraFiles = [['c', Buffer.alloc(28_000, 'c')]] as const;
      const code = 'import os; print(*(os.path.getsize(name) for name in "abc"))';
      expect(await suite.printed(code, { files, extraFiles, limits })).toBe('32768 1 28000\n');
    });

    it('by their bytes, together', async () => {
      const files = ['a', 'b', 'c'].map((name) => suite.file(name, Buffer.alloc(30_000)));
      await expect(suite.python('1', { files, limits })).rejects.toMatchObject(
        refusal('options.files[2]'),
      );
    });

    it('by their number, each of at least a page', async () => {
      for (let number = 0; number < 16; number += 1) {
        suite.file(`many/${number}`);
      }
      const files = [join(suite.folder, 'many')];
      await expect(suite.python('1', { files, limits })).rejects.toMatchObject(
        refusal('options.files[0]'),
      );
      await suite.printed('1', { files, limits: { input: 17 * 4096 } });
    });

    it('links and directories too', async () => {
      for (let number = 0; number < 8; number += 1) {
        suite.file(`many/${number}/x`);
        symlinkSync('/nowhere', join(suite.folder, `many/link${number}`));
      }
      await expect(
        suite.python('1', { files: [join(suite.folder, 'many')], limits }),
      ).rejects.toMatchObject(refusal('options.files[0]'));
    });

    it('extra files as well, alone and beside them', async () => {
      const big = [['x', Buffer.alloc(60_000)]] as const;
      await expect(
        suite.python('1', { extraFiles: [...big, ['y', ''], ['z', '']], limits }),
      ).rejects.toMatchObject(refusal('options.extraFiles'));
      await expect(
        suite.python('1', { extraFiles: big, files: [suite.file('a', 'x'.repeat(5000))], limits }),
      ).rejects.toMatchObject(refusal('options.files[0]'));
    });

    it('at once, however large a hole is, and keeps a hole that fits', async () => {
      const path = suite.file('holes', 'begin');
      truncateSync(path, 4 * 2 ** 30);
      const asked = performance.now();
      const files = [path];
      await expect(suite.python('1', { files, limits: { realtime: 1 } })).rejects.toMatchObject({
        code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
        message: expect.stringContaining('limit `input`, 268435456 bytes') as string,
      });
      expect(performance.now() - asked).toBeLessThan(5000);
      truncateSync(path, 100_000_000);
      const file = openSync(path, 'r+');
      writeSync(file, 'middle', 50_000_000);
      closeSync(file);
      const code = [
        'import os',
        'status = os.stat("holes")',
        'print(status.st_size, status.st_blocks * 512 < 1_000_000)',
        'with open("holes", "rb") as f:',
        '    print(f.read(6)); f.seek(49_999_999); print(f.read(8))',
        '    f.seek(99_999_990); print(f.read())',
      ].join('\n');
      const zeros = String.raw`\x00`;
      expect(await suite.printed(code, { files })).toBe(
        [
          '100000000 True',
          `b'begin${zeros}'`,
          `b'${zeros}middle${zeros}'`,
          `b'${zeros.repeat(10)}'`,
          '',
        ].join('\n'),
      );
    });

    it('and not at all where it is 0', async () => {
      const large = suite.file('large', Buffer.alloc(300_000_000));
      const code = 'import os; print(os.path.getsize("large"))';
      expect(await suite.printed(code, { files: [large], limits: { input: 0 } })).toBe(
        '300000000\n',
      );
    });
  });

  it.each([
    ['is missing', '/no/such/file', 'does not exist'],
    ['is a device', '/dev/null', 'neither'],
  ])('refuses one that %s, and runs nothing', async (_what, path, message) => {
    let ran = false;
    const refused = suite.python('print(1)', {
      files: [suite.file('there'), path],
      onStdout: () => {
        ran = true;
      },
    });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
      argument: 'options.files[1]',
    });
    await expect(refused).rejects.toThrow(message);
    expect(ran).toBe(false);
  });
});

describe('extra files', () => {
  it('supports names in directories, text and bytes, from any iterable', async () => {
    const extraFiles = new Map<string, string | Uint8Array>([
      ['package/__init__.py', ''],
      ['package/inner/__init__.py', 'value = "é"'],
      ['data.bin', Uint8Array.of(0, 255)],
    ]);
    const code =
      'import package.inner; print(package.inner.value, open("data.bin", "rb").read() == b"\\0\\xff")';
    expect(await suite.printed(code, { extraFiles })).toBe('é True\n');
  });

  it('supports files of the host beside them', async () => {
    const shown = await suite.printed(LIST, {
      files: [suite.file('host.txt')],
      extraFiles: [['extra.txt', '']],
    });
    expect(shown).toContain("['extra.txt', 'host.txt', 'jailed_code']");
  });

  it('denies changing them', async () => {
    const code = 'open("extra.txt", "a")';
    const { stderr, status } = await suite.python(code, {
      extraFiles: [['extra.txt', 'x']],
      limits: { fsize: 1000 },
    });
    expect(stderr.toString()).toMatch(/Permission denied|Read-only file system/);
    expect(status).toBe(1);
  });

  it('keeps what was given when the call was made', async () => {
    const bytes = Buffer.from('before');
    const running = suite.printed('print(open("it").read())', { extraFiles: [['it', bytes]] });
    bytes.write('after!');
    expect(await running).toBe('before\n');
  });

  describe('that are long', () => {
    // One byte more than a whole number of pieces, and a character of two code units across each end of one.
    const TEXT = `a${'\u{1f600}'.repeat(700_000)}`;
    const BYTES = Buffer.alloc(9_000_001, 'bytes');
    const DIGESTS = [
      'import hashlib, json, os, sys',
      'print(json.dumps([hashlib.md5(open(name, "rb").read()).hexdigest() for name in sys.argv[1:]]))',
    ].join('\n');
    const digest = (content: string | Uint8Array): string =>
      createHash('md5').update(content).digest('hex');

    it.each([
      ['text', TEXT],
      ['bytes', BYTES],
      ['bytes that a cell takes', BYTES.subarray(0, 2_000_000)],
    ])('support %s, here and in tmp, beside short ones and directories', async (_kind, content) => {
      const names = ['long', 'a/b/long', 'short', 'tmp/long', 'tmp/c/d/long'];
      const shown = await suite.printed(DIGESTS, {
        argv: names,
        extraFiles: names.map((name) => [name, name === 'short' ? 'x' : content]),
        limits: { disk: 1 << 28, fsize: 1 << 28 },
      });
      expect(JSON.parse(shown)).toEqual(
        names.map((name) => digest(name === 'short' ? 'x' : content)),
      );
    });

    it('have the mode and the owner that short ones have', async () => {
      const code = [
        'import os',
        'print([oct(os.stat(name).st_mode & 0o7777) for name in ("read", "run", "tmp/own")])',
        'open("tmp/own", "a").write("more")',
        'open("read", "a")',
      ].join('\n');
      const { stdout, stderr } = await suite.python(code, {
        extraFiles: [
          ['read', BYTES],
          ['run', BYTES, { mode: 0o755 }],
          ['tmp/own', BYTES, { mode: 0o640 }],
        ],
        limits: { disk: 1 << 28, fsize: 1 << 28 },
      });
      expect(stdout.toString()).toBe("['0o444', '0o555', '0o640']\n");
      expect(stderr.toString()).toMatch(/Permission denied|Read-only file system/);
    });

    it('support code and standard input', async () => {
      const { stdout } = await suite.python(
        `import sys\nprint(len(sys.stdin.buffer.read()))\n#${TEXT}`,
        { stdin: TEXT },
      );
      expect(stdout.toString()).toBe(`${Buffer.byteLength(TEXT)}\n`);
    });

    it.each([
      [
        'extraFiles',
        'options.extraFiles[1][1]',
        {
          extraFiles: [
            ['a', 'b'],
            ['c', `${TEXT}\ud83d`],
          ],
        },
      ],
      ['code', 'options.code', { code: `#${TEXT}\ud83d!` }],
      ['stdin', 'options.stdin', { stdin: `\ude00${TEXT}` }],
    ] as [string, string, JailCodeOptions][])(
      'deny in %s what UTF-8 can not carry, before anything runs',
      async (_name, argument, options) => {
        const call = suite.jail.jailCode('python', { code: 'pass', ...options });
        await expect(call).rejects.toMatchObject({
          code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
          argument,
          message: expect.stringContaining('lone surrogate') as string,
        });
      },
    );

    it('deny bytes that change their length meanwhile', async () => {
      // More than one turn of the event loop copies.
      const buffer = new ArrayBuffer(1 << 27);
      const call = suite.python('pass', { extraFiles: [['it', new Uint8Array(buffer)]] });
      structuredClone(buffer, { transfer: [buffer] });
      await expect(call).rejects.toMatchObject({
        code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
        argument: 'options.extraFiles[0][1]',
        message: expect.stringContaining('was made longer or shorter') as string,
      });
    });

    it('count to the limit input by their bytes, of which a character may have several', async () => {
      const input = Buffer.byteLength(TEXT) - 1;
      const call = suite.python('pass', { extraFiles: [['it', TEXT]], limits: { input } });
      await expect(call).rejects.toMatchObject({
        argument: 'options.extraFiles',
        message: expect.stringContaining('over the limit `input`') as string,
      });
    });

    it('leave nothing when the call is aborted meanwhile', async () => {
      const reason = new Error('not any more');
      const controller = new AbortController();
      const call = suite.python('pass', {
        extraFiles: [['it', BYTES]],
        signal: controller.signal,
      });
      setImmediate(() => {
        controller.abort(reason);
      });
      await expect(call).rejects.toBe(reason);
    });
  });

  it.each(['/absolute', '../outside', 'a/../../b', '', '.', 'tmp', 'jailed_code', 'nul\0'])(
    'denies the name %j, and writes nothing',
    async (name) => {
      await expect(
        suite.python('pass', {
          extraFiles: [
            ['good', ''],
            [name, 'x'],
          ],
        }),
      ).rejects.toMatchObject({
        code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
        argument: 'options.extraFiles[1][0]',
      });
    },
  );
});

describe('the writable directory', () => {
  it('is where temporary files go', async () => {
    const code = [
      'import os, tempfile',
      'with tempfile.NamedTemporaryFile("w+") as f:',
      '    f.write("x" * 500); f.seek(0); print(len(f.read()), os.path.dirname(f.name) == os.path.abspath("tmp"))',
    ].join('\n');
    expect(await suite.printed(code, { limits: { fsize: 1000 } })).toBe('500 True\n');
  });

  it('is empty in each call', async () => {
    const code = [
      'import os',
      'print(os.listdir("tmp"))',
      'with open("tmp/left", "w") as f: f.write("left")',
    ].join('\n');
    const limits = { fsize: 1000 };
    expect(await suite.printed(code, { limits })).toBe('[]\n');
    expect(await suite.printed(code, { limits })).toBe('[]\n');
  });

  it('supports directories, links, renames and modes of its own', async () => {
    const code = [
      'import os',
      'os.chdir("tmp"); os.makedirs("a/b")',
      'with open("a/b/c", "w") as f: f.write("c")',
      'os.rename("a/b/c", "d"); os.symlink("d", "e"); os.link("d", "f"); os.chmod("d", 0o600)',
      'print(open("e").read(), open("f").read(), oct(os.stat("d").st_mode & 0o777))',
      'os.remove("d"); os.remove("f"); os.removedirs("a/b")',
      'print(os.listdir("."))',
    ].join('\n');
    expect(await suite.printed(code, { limits: { fsize: 1000 } })).toBe("c c 0o600\n['e']\n");
  });

  it('leaves nothing of deep directories, and of files and directories without any mode', async () => {
    const code = [
      'import os',
      'os.chdir("tmp")',
      'for number in range(100):',
      '    open("f", "w").close(); os.chmod("f", 0); os.mkdir("d"); os.chdir("d")',
      'for number in range(100):',
      '    os.chdir(".."); os.chmod("d", 0)',
    ].join('\n');
    expect(await suite.printed(code)).toBe('');
  });
});

describe('a file of the host that its owner alone can read', () => {
  it('is copied as the caller reads it', async () => {
    const path = join(suite.folder, 'private');
    writeFileSync(path, 'private', { mode: 0o600 });
    const code = 'print(open("private").read())';
    expect(await suite.printed(code, { files: [path] })).toBe('private\n');
  });
});
