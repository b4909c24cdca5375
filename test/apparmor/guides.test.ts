// The guides, command by command as they are written, as root on a kernel with AppArmor.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isTestMachine } from '../support/machine';

const PROJECT = join(__dirname, '..', '..');
// Where the package is for these commands: the launcher's profile is attached to its path there, so that no other
// suite's launcher is concerned.
const PACKAGE = '/opt/codejail-guide';
const ENVIRONMENT = '/opt/sandbox';
const ORDINARY = ['setpriv', '--reuid', '61234', '--regid', '61234', '--clear-groups'];
const UNHURRIED = '--realtime 150 --cpu 100';
const LABEL = 'print(open("/proc/self/attr/current").read().strip())';

jest.setTimeout(900_000);

const guide = (name: string): string => readFileSync(join(PROJECT, 'docs', `${name}.md`), 'utf8');

// $0: the folder that becomes /etc/apparmor.d; the words after it: the command.
const APART = `
mount --bind "$0" /etc/apparmor.d && mount --bind ${PROJECT} ${PACKAGE} && cd ${PACKAGE} && exec "$@"`;

let folder: string;

/** Runs a command where this host has its own /etc/apparmor.d, and a parser of policy 4.0 where there is one. */
function apart(words: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', APART, join(folder, 'apparmor.d'), ...words],
    { env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` }, encoding: 'utf8', input },
  );
  return { status, stdout, stderr };
}

/** Runs `npx codejail ...` of a guide; what precedes `--` must be written there, what follows is the test's. */
function step(text: string, command: string, { as = [] as string[], more = '' } = {}) {
  expect(text).toContain(command);
  const words = command
    .replace(/^sudo /, '')
    .replace(/^npx codejail/, `${process.execPath} ${PACKAGE}/dist/cli/codejail.js`)
    .split(' ');
  return apart([...as, ...words, ...more.split(' ').filter(Boolean)]);
}

function findNewParser(): string {
  const source = [
    `import { findNewParser } from ${JSON.stringify(join(PROJECT, 'scripts/machine/profiles.mjs'))};`,
    `console.log((findNewParser('/srv/apparmor-4') ?? ['/sbin/apparmor_parser']).join(' '));`,
  ].join('\n');
  const words = ['--input-type=module', '--eval', source];
  return execFileSync(process.execPath, words, { encoding: 'utf8' }).trim();
}

function prepare(): void {
  folder = mkdtempSync(join(tmpdir(), 'guides-'));
  chmodSync(folder, 0o755);
  cpSync('/etc/apparmor.d', join(folder, 'apparmor.d'), { recursive: true });
  const features = '/srv/apparmor-4/etc/apparmor.d/abi/4.0';
  copyFileSync(features, join(folder, 'apparmor.d/abi/4.0'));
  const parser = join(folder, 'apparmor_parser');
  writeFileSync(parser, `#!/bin/sh\nexec ${findNewParser()} "$@"\n`);
  chmodSync(parser, 0o755);
  mkdirSync(PACKAGE, { recursive: true });
}

const lacking = !isTestMachine
  ? ' (writes to /opt and /etc: npm run test:apparmor)'
  : process.getuid?.() === 0
    ? ''
    : ' (needs root)';

(lacking === '' ? describe : describe.skip)(`the guides${lacking}`, () => {
  beforeAll(prepare);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('docs/ubuntu.md gives user namespaces to the launcher, and a profile to its jails', () => {
    const ubuntu = guide('ubuntu');
    // Without the sysctl of Ubuntu's own kernel the launcher's profile has to be asked for.
    const launcher = { more: '--launcher' };
    const installed = step(ubuntu, 'sudo npx codejail profile install', launcher);
    expect(installed).toMatchObject({ status: 0, stderr: '' });
    expect(installed.stdout).toContain('Installed and loaded /etc/apparmor.d/codejail-launcher');
    expect(installed.stdout).toContain('Installed and loaded /etc/apparmor.d/codejail-python');
    const again = step(ubuntu, 'sudo npx codejail profile install', launcher);
    expect(again.stdout.match(/nothing was changed/g)).toHaveLength(2);

    const status = step(ubuntu, 'sudo npx codejail profile status', launcher);
    expect(status).toMatchObject({ status: 0, stderr: '' });

    const own = [...ORDINARY, process.execPath, `${PACKAGE}/dist/cli/codejail.js`];
    const run = [...own, 'run', ...UNHURRIED.split(' ')];
    const unprofiled = apart([...run, '-c', LABEL]);
    expect(unprofiled).toEqual({
      status: 0,
      stderr: '',
      stdout: 'codejail-launcher (unconfined)\n',
    });
    const profiled = apart([...run, '--profile', 'codejail-python', '-c', LABEL]);
    expect(profiled).toEqual({ status: 0, stderr: '', stdout: 'codejail-python (enforce)\n' });

    const verified = step(ubuntu, 'npx codejail verify --profile codejail-python', {
      as: ORDINARY,
    });
    expect(verified).toMatchObject({ status: 0, stderr: '' });

    const removed = step(ubuntu, 'sudo npx codejail profile remove');
    expect(removed.stdout).toContain('Removed /etc/apparmor.d/codejail-python');
    const rest = apart([...own.slice(ORDINARY.length), 'profile', 'remove', '--launcher']);
    expect(rest.stdout).toContain('Removed /etc/apparmor.d/codejail-launcher');
    const after = apart([...run, '-c', LABEL]);
    expect(after.stdout).toBe('unconfined\n');
  });

  it('docs/migration.md replaces what CodeJail has one install', () => {
    const migration = guide('migration');
    try {
      const made = step(migration, `npx codejail env create ${ENVIRONMENT}`);
      expect(made).toMatchObject({ status: 0, stderr: '' });
      const installed = step(
        migration,
        `sudo npx codejail profile install --python ${ENVIRONMENT}`,
      );
      expect(installed).toMatchObject({ status: 0, stderr: '' });
      const verified = step(
        migration,
        `npx codejail verify --python ${ENVIRONMENT} --profile codejail-python`,
      );
      expect(verified).toMatchObject({ status: 0, stderr: '' });

      const [, program = ''] = /```js\n([^]*?)```/.exec(migration) ?? [];
      const settings = {
        python_bin: `${ENVIRONMENT}/bin/python`,
        user: null,
        limits: { CPU: 100, REALTIME: 150 },
      };
      const ran = apart(
        [process.execPath, '--input-type=module', '-'],
        [
          `const CODE_JAIL = ${JSON.stringify(settings)};`,
          program,
          `const { stdout } = await (await import('codejail')).jailCode('python', { code: ${JSON.stringify(LABEL)} });`,
          'console.log(stdout.toString().trim());',
        ].join('\n'),
      );
      expect(ran).toEqual({ status: 0, stderr: '', stdout: '21\ncodejail-python (enforce)\n' });
    } finally {
      apart([process.execPath, `${PACKAGE}/dist/cli/codejail.js`, 'profile', 'remove']);
      rmSync(ENVIRONMENT, { recursive: true, force: true });
    }
  });
});
