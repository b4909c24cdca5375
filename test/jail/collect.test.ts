// What a program left in its tmp, read when it is dead: what is wanted comes back, what is hostile harms nobody.
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const ROOMY = { fsize: 10_000_000, files: 0 };

async function collect(
  code: string,
  patterns: string[],
  limits: Record<string, number> = {},
): Promise<Record<string, string>> {
  const { collected, stderr } = await suite.python(code, {
    collect: patterns,
    limits: { ...ROOMY, ...limits },
  });
  expect(stderr.toString()).toBe('');
  return Object.fromEntries(collected.map(({ path, content }) => [path, content.toString()]));
}

const TREE = [
  'import os',
  'os.makedirs("tmp/plots/old")',
  'for name in ("a.txt", "b.txt", "c.png", "plots/one.png", "plots/old/two.png", ".hidden"):',
  '    with open("tmp/" + name, "w") as f: f.write(name)',
].join('\n');

describe('collect', () => {
  it('supports names and globs, in the order of their paths, each file once', async () => {
    const { collected } = await suite.python(TREE, {
      collect: ['plots/**/*.png', './a.txt', 'a.*', 'absent'],
      limits: ROOMY,
    });
    expect(collected.map(({ path }) => path)).toEqual([
      'a.txt',
      'plots/old/two.png',
      'plots/one.png',
    ]);
    expect(collected[1]?.content.equals(Buffer.from('plots/old/two.png'))).toBe(true);
  });

  it('supports everything there is', async () => {
    expect(Object.keys(await collect(TREE, ['**']))).toHaveLength(6);
  });

  it('gives nothing that was not asked for', async () => {
    const { collected } = await suite.python(TREE, { limits: ROOMY });
    expect(collected).toEqual([]);
  });

  it('supports content that is binary, empty or large', async () => {
    const code = [
      'import os',
      'with open("tmp/binary", "wb") as f: f.write(bytes(range(256)))',
      'open("tmp/empty", "w").close()',
      'with open("tmp/large", "wb") as f: f.write(b"x" * 5000000)',
    ].join('\n');
    const { collected } = await suite.python(code, { collect: ['*'], limits: ROOMY });
    expect(collected.map(({ path, content }) => [path, content.length])).toEqual([
      ['binary', 256],
      ['empty', 0],
      ['large', 5_000_000],
    ]);
    expect([...(collected[0]?.content ?? [])]).toEqual(Array.from({ length: 256 }, (_, i) => i));
  });

  it('brings back what a program left that failed, or was killed', async () => {
    const write = 'with open("tmp/left", "w") as f: f.write("left")\n';
    expect(
      await suite.python(`${write}raise SystemExit(3)`, { collect: ['left'], limits: ROOMY }),
    ).toMatchObject({ status: 3, collected: [{ path: 'left', content: Buffer.from('left') }] });
    const killed = await suite.python(`${write}import time; time.sleep(600)`, {
      collect: ['left'],
      limits: { ...ROOMY, realtime: 3 },
    });
    expect(killed).toMatchObject({ outcome: 'time-limit', collected: [{ path: 'left' }] });
  });

  it('denies what is behind a link, whatever it points to', async () => {
    const code = [
      'import os',
      'os.mkdir("tmp/real")',
      'with open("tmp/real/file", "w") as f: f.write("real")',
      'for number, target in enumerate(("/etc/passwd", "../jailed_code", "real/file", "real", "..",',
      '        "/", "/proc/self/root", "/dev/zero", "loop")):',
      '    os.symlink(target, f"tmp/link{number}")',
      'os.symlink("loop", "tmp/loop")',
    ].join('\n');
    expect(
      await collect(code, ['**', 'link0', 'link3/file', 'link4/jailed_code', 'link5/etc/passwd']),
    ).toEqual({ 'real/file': 'real' });
  });

  it('is not held up by a FIFO or a socket', async () => {
    const code = [
      'import os, socket',
      'os.mkfifo("tmp/fifo")',
      'socket.socket(socket.AF_UNIX).bind("tmp/socket")',
      'with open("tmp/file", "w") as f: f.write("file")',
    ].join('\n');
    expect(await collect(code, ['**', 'fifo', 'socket'])).toEqual({ file: 'file' });
  });

  it('denies more bytes than the limit of output, over all files', async () => {
    const code =
      'for number in range(5):\n    with open(f"tmp/{number}", "wb") as f: f.write(b"x" * 300000)';
    const over = await suite.python(code, {
      collect: ['*'],
      limits: { ...ROOMY, output: 1_000_000 },
    });
    expect(over).toMatchObject({
      outcome: 'output-limit',
      exceeded: { limit: 'output', allowed: 1_000_000 },
      collected: [],
    });
    const within = await suite.python(code, {
      collect: ['0', '1', '2'],
      limits: { ...ROOMY, output: 1_000_000 },
    });
    expect(within.collected).toHaveLength(3);
  });

  it.each([0, 1_000_000])(
    'denies a sparse file that is larger than all memory, with an output limit of %i',
    async (output) => {
      const result = await suite.python('open("tmp/giant", "w").truncate(1 << 46)', {
        collect: ['giant'],
        limits: { ...ROOMY, fsize: Number.MAX_SAFE_INTEGER, disk: 1_000_000, output },
      });
      expect(result).toMatchObject({
        outcome: 'output-limit',
        exceeded: { limit: output === 0 ? 'disk' : 'output', allowed: 1_000_000 },
        collected: [],
      });
    },
  );

  it('supports a thousand files', async () => {
    const code =
      'for number in range(1000):\n    with open(f"tmp/{number}", "w") as f: f.write(str(number))';
    const found = await collect(code, ['*']);
    expect(Object.keys(found)).toHaveLength(1000);
    expect(found['999']).toBe('999');
  });

  it('supports names with line breaks, quotes, glob characters and other scripts', async () => {
    const names = ['new\nline', '"quoted"', '[abc]', '*', 'né中😀', '-rf', ' '];
    const code = `for name in ${JSON.stringify(names)}:\n    with open("tmp/" + name, "w") as f: f.write(name)`;
    expect(await collect(code.replaceAll('\\n    ', '\n    '), ['**'])).toEqual(
      Object.fromEntries(names.map((name) => [name, name])),
    );
    expect(await collect(code, ['[abc]'])).toMatchObject({ '[abc]': '[abc]' });
  });

  it('is not harmed by names that are no text', async () => {
    const code = [
      'import os',
      'for name in (b"tmp/\\xff", b"tmp/\\xc3", b"tmp/good"):',
      '    with open(name, "w") as f: f.write("x")',
      'os.mkdir(b"tmp/\\xfe")',
      'with open(b"tmp/\\xfe/inner", "w") as f: f.write("x")',
    ].join('\n');
    expect(await collect(code, ['**'])).toMatchObject({ good: 'x' });
  });

  it('is not harmed by directories that are nested deeply', async () => {
    const code = [
      'import os',
      'with open("tmp/top", "w") as f: f.write("top")',
      'os.chdir("tmp")',
      'for depth in range(400):',
      '    os.mkdir("d"); os.chdir("d")',
      '    with open("f", "w") as f: f.write(str(depth))',
    ].join('\n');
    const found = await collect(code, ['**']);
    expect(found).toMatchObject({ top: 'top', 'd/f': '0' });
  });

  it('is not harmed by paths that are longer than the kernel takes', async () => {
    const code = [
      'import os',
      'with open("tmp/top", "w") as f: f.write("top")',
      'os.chdir("tmp")',
      'for depth in range(30):',
      '    name = "d" * 250',
      '    os.mkdir(name); os.chdir(name)',
      '    with open("f" * 250, "w") as f: f.write(str(depth))',
    ].join('\n');
    expect(await collect(code, ['**'])).toMatchObject({ top: 'top' });
  });

  it('is not harmed by files and directories that nobody may read', async () => {
    const code = [
      'import os',
      'with open("tmp/good", "w") as f: f.write("good")',
      'with open("tmp/closed", "w") as f: f.write("closed")',
      'os.chmod("tmp/closed", 0)',
      'os.mkdir("tmp/dir")',
      'with open("tmp/dir/inner", "w") as f: f.write("inner")',
      'os.chmod("tmp/dir", 0)',
    ].join('\n');
    expect(await collect(code, ['**'])).toMatchObject({ good: 'good' });
  });

  it('is not harmed by a tmp that nobody may read', async () => {
    const code = [
      'import os',
      'with open("tmp/good", "w") as f: f.write("good")',
      'os.chmod("tmp", 0)',
    ].join('\n');
    const { status } = await suite.python(code, { collect: ['**'], limits: ROOMY });
    expect(status).toBe(0);
  });

  it('tells what was named and is not to be had, and why', async () => {
    const code = [
      'import os, socket',
      'os.chdir("tmp")',
      'for name in (b"good", b"\\xff.txt"): open(name, "w").close()',
      'os.symlink("good", "link")',
      'os.mkfifo("fifo.txt")',
      'socket.socket(socket.AF_UNIX).bind("socket")',
      'os.mkdir("closed"); os.chmod("closed", 0)',
      'open("closed.txt", "w").close(); os.chmod("closed.txt", 0)',
      'for depth in range(70): os.mkdir("d"); os.chdir("d")',
      'open("deep", "w").close()',
    ].join('\n');
    const told = async (...patterns: string[]): Promise<string[]> => {
      const { uncollected } = await suite.python(code, { collect: patterns, limits: ROOMY });
      return uncollected.map(({ path, why }) => `${path.replaceAll('/d', '')} ${why}`).sort();
    };
    // Root reads what the program closed.
    const closed = process.getuid?.() === 0 ? [] : ['closed unreadable', 'closed.txt unreadable'];
    expect(await told('**')).toEqual(
      [
        'd too-deep',
        'fifo.txt not-a-file',
        'link not-a-file',
        'socket not-a-file',
        '\ufffd.txt not-text',
        ...closed,
      ].sort(),
    );
    expect(await told('*.txt')).toEqual(
      ['fifo.txt not-a-file', '\ufffd.txt not-text', ...closed.slice(1)].sort(),
    );
    expect(await told('good', 'absent', 'd/*')).toEqual([]);
  });

  it('tells where there are more files than it looks at', async () => {
    const code = 'import os\nfor i in range(101_000): os.mkdir(f"tmp/{i}")';
    const { uncollected, collected } = await suite.python(code, {
      collect: ['*'],
      limits: { ...ROOMY, disk: 0, memory: 1 << 30 },
    });
    expect({ uncollected, collected }).toEqual({
      uncollected: [{ path: '.', why: 'too-many' }],
      collected: [],
    });
  });

  it('supports more calls at once than a process of a jail may have open files', async () => {
    await suite.ready();
    const names = Array.from({ length: 150 }, (_, index) => `n${index}`);
    const results = await Promise.all(
      names.map(async (name) =>
        suite.python(`with open("tmp/${name}", "w") as f: f.write("${name}")`, {
          collect: ['*'],
          limits: { fsize: 100 },
        }),
      ),
    );
    expect(results.map(({ collected }) => collected)).toEqual(
      names.map((name) => [{ path: name, content: Buffer.from(name) }]),
    );
  });

  it('supports safeExec', async () => {
    const { collected } = await suite.jail.safeExec(
      'with open("tmp/plot", "w") as f: f.write("plot")',
      {},
      { collect: ['plot'], limits: ROOMY },
    );
    expect(collected).toEqual([{ path: 'plot', content: Buffer.from('plot') }]);
  });
});
