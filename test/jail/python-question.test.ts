// A Python is asked for its modules inside a jail: whoever wrote it could do anything else.
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createJail } from '../../lib/index';
import { codejail } from '../support/command-line';
import { find } from '../support/runtime';
import { useSuite } from '../support/suite';

const suite = useSuite();
jest.setTimeout(120_000);

const UNHURRIED = ['--realtime', '25', '--cpu', '15'];

/** A Python of an attacker's: leaves a mark on the host, answers what it likes, and shows what it can read. */
function evilPython(path: string, answer: object): string {
  return suite.file(
    path,
    `#!/bin/sh
echo "ran as $(id -u)" > ${join(suite.folder, 'pwned')}
case "$*" in *-c*) echo '${JSON.stringify(answer)}';; *) cat ${join(suite.folder, 'secret/key')};; esac
`,
    0o755,
  );
}

function evil(path = 'evil/python3'): string {
  suite.file('secret/key', 'the secret key\n');
  return evilPython(path, {
    executable: '/usr/bin/python3',
    prefixes: [join(suite.folder, 'secret'), '/usr'],
    path: [join(suite.folder, 'secret'), '/usr/lib'],
  });
}

function nothingRanOutside(): void {
  expect(existsSync(join(suite.folder, 'pwned'))).toBe(false);
}

it.each([
  ['run', (python: string) => ['run', ...UNHURRIED, python]],
  ['verify', (python: string) => ['verify', python]],
  ['profile print', (python: string) => ['profile', 'print', python]],
])('codejail %s runs no Python outside of a jail to ask it', async (_name, words) => {
  await codejail(words(evil()), { cwd: suite.folder });
  nothingRanOutside();
});

it.each([
  ['its first line', 'solve', (python: string) => `#!${python}\n`],
  ['env in its first line', 'solve', () => '#!/usr/bin/env python3\n'],
])(
  'runs no Python that %s names outside of a jail, and shows nothing that it asks for',
  async (_name, name, line) => {
    const python = evil();
    const script = suite.file(name, line(python), 0o755);
    const result = await codejail(['run', ...UNHURRIED, script], {
      cwd: suite.folder,
      env: { PATH: `${join(suite.folder, 'evil')}:${process.env['PATH'] ?? ''}` },
    });
    nothingRanOutside();
    expect(result.stdout).not.toContain('the secret key');
  },
);

it('runs a configured Python in a jail to ask it', async () => {
  const python = evil();
  await find(python, { python: true }).catch(() => undefined);
  nothingRanOutside();
});

it('believes one that is found of a Python’s directories only', async () => {
  const { view } = await find(evil(), { python: 'found' });
  expect(view.binds).not.toContain(join(suite.folder, 'secret'));
});

it('takes a Python that others may write for a plain program where nobody has named it', async () => {
  const python = evil();
  chmodSync(join(suite.folder, 'evil'), 0o777);
  expect(await find(python, { python: 'found' })).toMatchObject({ python: false });
});

it('refuses one that it found by itself, and that others may write, and says how to close it', async () => {
  const python = evil();
  chmodSync(join(suite.folder, 'evil'), 0o777);
  await expect(find(python, { python: 'owned' })).rejects.toMatchObject({
    code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
    message: expect.stringMatching(
      /evil may be written by everybody: let nobody but root.*chmod go-w.*configure\('python'/,
    ) as string,
  });
  nothingRanOutside();
});

it('refuses an environment beside the project that others may write', async () => {
  mkdirSync(join(suite.folder, 'project'));
  suite.file('project/package.json', '{}');
  evil('project-sandbox/bin/python');
  chmodSync(join(suite.folder, 'project-sandbox'), 0o777);
  const result = await codejail(['run', ...UNHURRIED, '-c', 'print(1)'], {
    cwd: join(suite.folder, 'project'),
  });
  expect(result.stderr).toContain('project-sandbox may be written by everybody');
  expect(result.status).toBe(64);
  nothingRanOutside();
});

it('ends a call by its signal though the Python that is asked ignores SIGTERM', async () => {
  const python = suite.file(
    'slow/python3',
    "#!/bin/sh\ntrap '' TERM\nwhile :; do :; done\n",
    0o755,
  );
  const jail = createJail({ commands: { slow: { bin: python, python: true } } });
  const began = Date.now();
  await expect(
    jail.jailCode('slow', { code: '', signal: AbortSignal.timeout(2000) }),
  ).rejects.toMatchObject({ name: 'TimeoutError' });
  // It was asked for 30 s, and its CPU time is 20 s.
  expect(Date.now() - began).toBeLessThan(15_000);
  await jail.close();
});
