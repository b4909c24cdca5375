// What a program or a file calls itself never reaches a terminal as it is.
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { codejail } from '../support/command-line';
import { useSuite } from '../support/suite';

const suite = useSuite();
jest.setTimeout(180_000);

const UNHURRIED = ['--realtime', '25', '--cpu', '15'];
const PRINTABLE = /^[\x20-\x7e\n…✓✗]*$/;
const TITLE = '\x1b]0;title\x07';

async function run(...words: string[]) {
  return codejail(['run', ...UNHURRIED, ...words], { cwd: suite.folder });
}

it('lists collected files in plain text, also as JSON', async () => {
  const names = [
    `a${TITLE}b`,
    'c1\u009b31mx',
    'bidi\u202egnp',
    'line\nbreak',
    'line\u2028separator',
  ];
  const code = names.map((name) => `open("tmp/" + ${JSON.stringify(name)}, "w").write("x")`);
  const { stderr, status } = await run('--collect', '*', '--json', '-c', code.join('\n'));
  expect(status).toBe(0);
  expect(stderr).toMatch(PRINTABLE);
  const last = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as {
    collected: { path: string }[];
  };
  expect(last.collected.map(({ path }) => path).sort()).toEqual([...names].sort());
  expect(stderr.trim().split('\n')).toHaveLength(names.length + 1);
});

it.each<[string, () => string]>([
  ['that is no program', () => suite.file(`x${TITLE}y`, '\x7fELF', 0o755)],
  ['that is not there', () => join(suite.folder, `no${TITLE}`)],
  ['of an interpreter', () => suite.file('script', `#!/bin/${TITLE}nope\n`, 0o755)],
  [
    'of an interpreter that env is to find',
    () => suite.file('script', `#!/usr/bin/env ${TITLE}nope\n`, 0o755),
  ],
  ['that breaks the line', () => join(suite.folder, 'no\ncodejail: all is well')],
  ['of a Python file', () => join(suite.folder, `no${TITLE}.py`)],
  [
    'of a Python file that breaks the line',
    () => join(suite.folder, 'no\ncodejail: all is well.py'),
  ],
  ['like an option', () => `--x${TITLE}`],
])('tells of a name %s in plain text', async (_name, program) => {
  const { stderr, status } = await run(program());
  expect(status).not.toBe(0);
  expect(stderr).toMatch(PRINTABLE);
  expect(stderr).not.toMatch(/^codejail: all is well/m);
});

it('tells in plain text what a Python that can’t be asked has said', async () => {
  const python = suite.file(
    'bin/python3',
    '#!/bin/sh\nprintf "\\033]0;pwn\\007\\n" >&2; exit 3\n',
    0o755,
  );
  const { stderr, status } = await run('--python', python, '-c', '1');
  expect(status).toBe(64);
  expect(stderr).toMatch(PRINTABLE);
});

it.each<[string, () => string[]]>([
  ['of a variable', () => ['run', '--env', `X${TITLE}`, '-c', '1']],
  ['of a file to copy', () => ['run', '--file', `/no${TITLE}\ncodejail: all is well`, '-c', '1']],
  ['of a Python', () => ['run', '--python', `/no${TITLE}\ncodejail: all is well`, '-c', '1']],
  [
    'of a path to show',
    () => ['run', '--read-path', `/no${TITLE}\ncodejail: all is well`, '-c', '1'],
  ],
  ['of a limit', () => ['run', '--cpu', `1${TITLE}\ncodejail: all is well`, '-c', '1']],
  ['of an option', () => ['run', `--x${TITLE}\ncodejail: all is well`]],
  ['of a command', () => [`x${TITLE}\ncodejail: all is well`]],
  ['of a program to verify', () => ['verify', suite.file(`x${TITLE}\ny`, '#!/bin/sh\n', 0o755)]],
  [
    'of a program to verify that is not there',
    () => ['verify', `/no${TITLE}\ncodejail: all is well`],
  ],
  ['of an environment', () => ['env', 'list', `/no${TITLE}\ncodejail: all is well`]],
  ['of a program to print a profile for', () => ['profile', 'print', `/no${TITLE}\ncodejail: x`]],
])('tells of a name %s in plain text', async (_name, words) => {
  const { stdout, stderr } = await codejail(words(), { cwd: suite.folder });
  expect(`${stdout}${stderr}`).not.toBe('');
  expect(`${stdout}${stderr}`).toMatch(PRINTABLE);
  expect(stderr).not.toMatch(/^codejail: (all is well|x)/m);
});

it('lists packages that call themselves something else in plain text', async () => {
  const pip = [
    '#!/bin/sh',
    `printf '[{"name": "x\\\\u001b]0;t\\\\u0007\\\\ny", "version": "\\\\u009b1m"}]\\n'`,
  ].join('\n');
  suite.file('venv/bin/python', pip, 0o755);
  suite.file('venv/pyvenv.cfg');
  const { stdout, status } = await codejail(['env', 'list', 'venv'], { cwd: suite.folder });
  expect(status).toBe(0);
  expect(stdout).toMatch(PRINTABLE);
  expect(stdout.trim().split('\n')).toHaveLength(1);
});

describe('--collect-into', () => {
  const collect = async (code: string) =>
    run('--collect', '**', '--collect-into', 'out', '-c', code);

  it('leaves no file executable, also one that was', async () => {
    suite.file('out/build.sh', 'echo good', 0o755);
    const { status } = await collect('open("tmp/build.sh", "w").write("echo evil")');
    expect(status).toBe(0);
    expect(statSync(join(suite.folder, 'out/build.sh')).mode & 0o777).toBe(0o644);
    expect(readFileSync(join(suite.folder, 'out/build.sh'), 'utf8')).toBe('echo evil');
    expect(readdirSync(join(suite.folder, 'out'))).toEqual(['build.sh']);
  });

  it.each(['/etc/hostname', '../precious/keep', 'nowhere'])(
    'follows no link that stands for a file, to %s',
    async (target) => {
      suite.file('precious/keep', 'kept');
      suite.file('out/other');
      symlinkSync(target, join(suite.folder, 'out/file'));
      const { status, stderr } = await collect('open("tmp/file", "w").write("x")');
      expect(status).toBe(1);
      expect(stderr).toMatch(/can't be written: a link, or a file, stands in its way/);
      expect(readFileSync(join(suite.folder, 'precious/keep'), 'utf8')).toBe('kept');
      expect(readdirSync(join(suite.folder, 'out')).sort()).toEqual(['file', 'other']);
    },
  );

  it('follows no link that stands for a directory', async () => {
    suite.file('precious/keep', 'kept');
    suite.file('out/file');
    symlinkSync('../precious', join(suite.folder, 'out/sub'));
    const { status, stderr } = await collect(
      'import os; os.mkdir("tmp/sub"); open("tmp/sub/keep", "w").write("x")',
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/can't be written: a link, or a file, stands in its way/);
    expect(readFileSync(join(suite.folder, 'precious/keep'), 'utf8')).toBe('kept');
  });
});
