// `codejail profile` on a kernel with AppArmor.
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { codejail } from '../support/command-line';
import { describeWithAppArmor } from '../support/apparmor';

const DIRECTORY = '/etc/apparmor.d';
const NAME = 'codejail-command-test';
const FILE = `${DIRECTORY}/${NAME}`;
const PYTHON = ['--python', '/usr/bin/python3', '--name', NAME];

// In an emulated machine each of its commands takes tens of seconds.
jest.setTimeout(300_000);

async function profile(action: string, ...words: string[]) {
  return codejail(['profile', action, ...words]);
}

function backups(): string[] {
  return readdirSync(DIRECTORY).filter((name) => name.startsWith(`${NAME}.`));
}

const isRoot = process.getuid?.() === 0;

describeWithAppArmor('codejail profile', () => {
  if (!isRoot) {
    it('says that installing needs root', async () => {
      const { status, stderr } = await profile('install', ...PYTHON);
      expect(stderr).toContain('needs root');
      expect(status).toBe(1);
    });
    return;
  }

  afterEach(async () => {
    await profile('remove', '--name', NAME);
    for (const name of readdirSync(DIRECTORY).filter((found) => found.includes(NAME))) {
      rmSync(`${DIRECTORY}/${name}`);
    }
  });

  it('installs, is idempotent, and a jail then runs under it', async () => {
    const first = await profile('install', ...PYTHON);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toContain(`Installed and loaded ${FILE}`);

    const again = await profile('install', ...PYTHON);
    expect(again.stdout).toContain('nothing was changed');
    expect(backups()).toEqual([]);

    const { status, stdout } = await profile('status', ...PYTHON, '--no-launcher', '--json');
    expect(JSON.parse(stdout)).toEqual([
      { name: NAME, path: FILE, mode: 'enforce', file: 'as rendered' },
    ]);
    expect(status).toBe(0);

    const run = await codejail([
      ...['run', '--realtime', '60', '--cpu', '30', '--json'],
      ...['--python', '/usr/bin/python3', '--profile', NAME, '-c'],
      'print(open("/proc/self/attr/current").read())',
    ]);
    expect(run.stdout).toContain(`${NAME} (enforce)`);
    expect(run.stderr).toContain(`apparmor:${NAME}`);
    expect(run.status).toBe(0);
  });

  it('keeps what was there, where AppArmor does not load it', async () => {
    await profile('install', ...PYTHON);
    appendFileSync(FILE, '# a change of the administrator\n');
    const changed = await profile('status', ...PYTHON, '--no-launcher');
    expect(changed.stdout).toContain('different');
    expect(changed.status).toBe(1);

    const { status, stdout } = await profile('install', ...PYTHON);
    expect(status).toBe(0);
    expect(stdout).toMatch(/what was there is kept as .*~\n/);
    const [backup] = backups();
    expect(backup).toMatch(/~$/);
    expect(readFileSync(`${DIRECTORY}/${backup!}`, 'utf8')).toContain(
      'a change of the administrator',
    );
  });

  it('removes it, and calls that name it are refused', async () => {
    await profile('install', ...PYTHON);
    const { status, stdout } = await profile('remove', '--name', NAME);
    expect(stdout).toContain(`Removed ${FILE}`);
    expect(status).toBe(0);
    expect(existsSync(FILE)).toBe(false);
    const again = await profile('remove', '--name', NAME);
    expect(again).toMatchObject({ status: 0, stdout: `There is no ${FILE}\n` });
    const run = await codejail([
      ...['run', '--python', '/usr/bin/python3', '--profile', NAME, '-c', 'print(1)'],
    ]);
    expect(run).toMatchObject({ status: 125, stdout: '' });
  });
});
