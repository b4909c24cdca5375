// `codejail run`: what goes in, what comes out, and the status that scripts see.
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { codejail } from '../support/command-line';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

watchLeftovers();
const suite = useSuite();

const number: unknown = expect.any(Number);
const signalName: unknown = expect.stringMatching(/^SIG/);
const confinement: unknown = expect.arrayContaining(['seccomp', 'no-new-privs']);

// Machines are slow, and shared.
const UNHURRIED = ['--realtime', '25', '--cpu', '15'];

async function run(...words: string[]) {
  return codejail(['run', ...UNHURRIED, ...words], { cwd: suite.folder });
}

describe('a Python file', () => {
  it('gets its arguments, its files and the input, and gives its output and status', async () => {
    suite.file('data.csv', '1,2\n');
    suite.file(
      'solution.py',
      `import sys
print(open('data.csv').read().strip(), sys.argv[1:])
print(sys.stdin.read().upper(), end='')
print('aside', file=sys.stderr)
sys.exit(3)`,
    );
    const words = [...UNHURRIED, '--file', 'data.csv', 'solution.py', '--help', '-x', 'a b'];
    const result = await codejail(['run', ...words], { cwd: suite.folder, input: 'hello\n' });
    expect(result).toEqual({
      status: 3,
      signal: null,
      stdout: "1,2 ['--help', '-x', 'a b']\nHELLO\n",
      stderr: 'aside\n',
    });
  });

  it('keeps its name in tracebacks, also when it is a link', async () => {
    suite.file('real.py', '1 / 0');
    symlinkSync('real.py', join(suite.folder, 'link.py'));
    const { status, stderr } = await run('link.py');
    expect(status).toBe(1);
    expect(stderr).toMatch(/link\.py", line 1/);
    expect(stderr).toContain('ZeroDivisionError');
    expect(stderr).not.toContain('codejail:');
  });

  it('may be given as text', async () => {
    const { stdout, status } = await run('-c', 'import sys; print(sys.argv[1:])', 'one', '--two');
    expect([stdout, status]).toEqual(["['one', '--two']\n", 0]);
  });

  it('denies what every jail denies', async () => {
    const { stderr, status } = await run('-c', 'open("/etc/passwd")');
    expect(stderr).toMatch(/(FileNotFound|Permission)Error/);
    expect(status).toBe(1);
  });

  it('gets only the environment that is named', async () => {
    const code = 'import os; print({k: v for k, v in os.environ.items() if k[0] in "QS"})';
    const { stdout } = await codejail(
      ['run', ...UNHURRIED, '--env', 'QA=1=2', '--env', 'QB', '-c', code],
      { env: { QB: 'own', QC: 'hidden', SECRET: 'hidden' } },
    );
    expect(stdout).toBe("{'QA': '1=2', 'QB': 'own'}\n");
  });
});

describe('another program', () => {
  it('is found in PATH', async () => {
    const { stdout, status } = await codejail(['run', ...UNHURRIED, 'sort', '-r'], {
      input: 'a\nb\n',
    });
    expect([stdout, status]).toEqual(['b\na\n', 0]);
  });

  it('is found by a relative path', async () => {
    suite.file('hello.sh', '#!/bin/sh\necho "hello $1"', 0o755);
    const { stdout, status } = await run('./hello.sh', 'you');
    expect([stdout, status]).toEqual(['hello you\n', 0]);
  });
});

describe('standard streams', () => {
  it('carry bytes unchanged, more than a pipe holds', async () => {
    const input = Buffer.alloc(3_000_000, 'abcdefghijk\n');
    const result = await codejail(['run', ...UNHURRIED, 'cat'], { input });
    expect(result.status).toBe(0);
    expect(result.stdout).toBe(input.toString());
  });

  it('need not be read by the program', async () => {
    const result = await codejail(['run', ...UNHURRIED, '-c', 'print(1)'], {
      input: Buffer.alloc(1_000_000),
    });
    expect([result.status, result.stdout]).toEqual([0, '1\n']);
  });
});

describe('the exit status', () => {
  const cases: [name: string, status: number, said: RegExp, words: string[]][] = [
    ['cpu', 120, /cpu-limit.*--cpu/, ['--cpu', '0.5', '-c', 'while True: pass']],
    [
      'time',
      124,
      /time-limit.*500? ?m?s|0\.5 s.*--realtime/,
      ['--realtime', '500ms', '-c', 'import time; time.sleep(60)'],
    ],
    [
      'memory',
      121,
      /memory-limit.*64 MiB.*--memory/,
      [
        '--memory',
        '64M',
        '-c',
        'import os, time\nos.fork(); os.fork()\nkept = b"x" * 30_000_000\ntime.sleep(10)',
      ],
    ],
    [
      'disk',
      122,
      /disk-limit.*--disk/,
      ['--fsize', '10M', '--disk', '1M', '-c', 'open("tmp/a", "wb").write(bytes(5_000_000))'],
    ],
    [
      'output',
      123,
      /output-limit.*1 KiB.*--output/,
      ['--output', '1K', '-c', 'print("x" * 10_000)'],
    ],
  ];
  it.each(cases)('tells of the limit of %s by %d', async (_name, status, said, words) => {
    const result = await codejail(['run', ...UNHURRIED, ...words]);
    expect(result.stderr.trim().split('\n').at(-1)).toMatch(said);
    expect(result.status).toBe(status);
  });

  it('tells of a signal by 128 and its number', async () => {
    const result = await run('-c', 'import os, signal; os.kill(os.getpid(), signal.SIGUSR1)');
    expect(result.status).toBe(128 + 10);
    expect(result.stderr).toBe('codejail: the program was ended by SIGUSR1\n');
  });

  it('hints, a line for each, at what a program was kept from', async () => {
    const result = await run('-c', 'open("/etc/pass\\x1bwd\\n")');
    const hints = result.stderr.split('\n').filter((line) => line.startsWith('codejail:'));
    expect(hints).toEqual([
      expect.stringMatching(/^codejail: hint: .*\/etc\/pass.*--read-path .*--file /),
    ]);
    // eslint-disable-next-line no-control-regex
    expect(hints.join()).not.toMatch(/[\x00-\x1f]/);
    expect(result.status).toBe(1);
  });

  it('starts in tmp where it is told to, as its hint says', async () => {
    const code = 'open("plot.txt", "w").write("12")';
    const refused = await run('--collect', '*', '-c', code);
    expect(refused.stderr).toContain('starts there with the option --cwd tmp\n');
    const written = await run('--collect', '*', '--cwd', 'tmp', '-c', code);
    expect(written.stderr).toBe('codejail: collected collected/plot.txt (2 bytes)\n');

    suite.file('writes.py', code);
    expect(await run('--cwd', 'tmp', 'writes.py')).toMatchObject({ status: 0, stderr: '' });
  });

  it('tells with --explain what a program tried in vain', async () => {
    const code = 'try: open("/etc/pass\\x1bwd")\nexcept OSError: pass';
    const result = await run('--explain', '-c', code);
    expect(result.stderr).toContain('codejail: tried: open /etc/pass\\x1bwd: ENOENT\n');
    expect(result.status).toBe(0);
  });

  it('tells by 125 that the host lacks a guarantee, with the cure, and runs nothing', async () => {
    const result = await run('--profile', 'no-such-profile', '-c', 'print("ran")');
    expect(result.status).toBe(125);
    expect(result.stdout).toBe('');
    for (const part of ['nothing was run', 'missing:', 'cure:', 'No jail could be made at all']) {
      expect(result.stderr).toContain(part);
    }
    expect(result.stderr).not.toMatch(/^ {4}at /m);
  });
});

describe('wrong arguments', () => {
  const cases: [words: string[], said: RegExp][] = [
    [[], /name a Python file or a program/],
    [['missing.py'], /missing\.py can't be read/],
    [['no-such-program'], /"no-such-program" is not in PATH/],
    [['--cpu', 'fast', '-c', ''], /--cpu.*Write seconds/],
    [['--cpu', '-1', '-c', ''], /--cpu/],
    [['--memory', '1X', '-c', ''], /--memory.*Write bytes/],
    [['--max-files', '1.5', '-c', ''], /--max-files.*whole number/],
    [['--realtime', '9999999', '-c', ''], /--realtime must be/],
    [['--extra-time', '-1', '-c', ''], /--extra-time/],
    [['--open-files', '2000000', '-c', ''], /--open-files must be/],
    [['--stack', 'large', '-c', ''], /--stack.*Write bytes/],
    [['--cpuu', '1', '-c', ''], /unknown option.*\n.*Did you mean --cpu\?/],
    [['--file', 'missing.csv', '-c', 'print(1)'], /--file does not exist/],
    [['--allow-missing', 'netwrk', '-c', ''], /--allow-missing.*Did you mean "network"\?/],
    [['--env', '=x', '-c', ''], /--env: "=x" has no name/],
    [['--env', 'NOT_SET_HERE', '-c', ''], /NOT_SET_HERE is not set here/],
    [['--python', '.', '-c', 'print(1)'], /no Python environment.*codejail env create/],
    [['--collect', '../x', '-c', 'print(1)'], /--collect/],
  ];
  it.each(cases)('%j', async (words, said) => {
    const { status, stdout, stderr } = await run(...words);
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect([status, stdout]).toEqual([64, '']);
  });
});

describe('--collect', () => {
  it('brings files back into a folder of their own', async () => {
    const code = `import os
os.makedirs("tmp/plots")
open("tmp/plots/one.txt", "w").write("first")
open("tmp/other.bin", "w").write("not wanted")
os.symlink("/etc/passwd", "tmp/plots/evil.txt")`;
    const { status, stderr } = await run('--collect', 'plots/*.txt', '-c', code);
    expect(status).toBe(0);
    expect(stderr).toBe(
      'codejail: collected collected/plots/one.txt (5 bytes)\n' +
        'codejail: not collected: plots/evil.txt: it is no regular file\n',
    );
    expect(readdirSync(join(suite.folder, 'collected'), { recursive: true }).sort()).toEqual([
      'plots',
      'plots/one.txt',
    ]);
    expect(readFileSync(join(suite.folder, 'collected/plots/one.txt'), 'utf8')).toBe('first');
  });

  it('writes through no link that lies in the folder', async () => {
    suite.file('precious', 'kept');
    suite.file('out/keep');
    symlinkSync('../precious', join(suite.folder, 'out/a'));
    const words = [
      '--collect',
      'a',
      '--collect-into',
      'out',
      '-c',
      'open("tmp/a", "w").write("x")',
    ];
    const { status, stderr } = await run(...words);
    expect(stderr).toContain('ELOOP');
    expect(status).toBe(1);
    expect(readFileSync(join(suite.folder, 'precious'), 'utf8')).toBe('kept');
  });

  it('leaves nothing behind where nothing was collected', async () => {
    const { status } = await run('--collect', '*', '-c', '');
    expect(status).toBe(0);
    expect(existsSync(join(suite.folder, 'collected'))).toBe(false);
  });
});

describe('what a run used', () => {
  it('is told on standard error, on lines of its own', async () => {
    const code = 'import sys; sys.stderr.write("no end of line"); print("out")';
    const { stdout, stderr } = await run('--usage', '-c', code);
    expect(stdout).toBe('out\n');
    expect(stderr).toMatch(/^no end of line\ncodejail: ran \d+ ms/);
    expect(stderr).toMatch(/confined by .*seccomp/);
  });

  it('is told as JSON, on the last line', async () => {
    const { stderr } = await run('--json', '--cpu', '0.5', '-c', 'while True: pass');
    expect(JSON.parse(stderr.trim().split('\n').at(-1)!)).toEqual({
      status: number,
      signal: signalName,
      outcome: 'cpu-limit',
      exceeded: { limit: 'cpu', allowed: 0.5, measured: number },
      hints: [expect.objectContaining({ by: 'cpu', option: 'limits.cpu' })],
      attempts: [],
      usage: {
        wallMs: number,
        queuedMs: number,
        setupMs: number,
        userMs: number,
        systemMs: number,
        cpuMs: number,
        maxRssBytes: number,
      },
      confinement,
      collected: [],
      uncollected: [],
    });
  });
});
