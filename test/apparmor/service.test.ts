// docs/service.md and its unit, command by command, under a real systemd.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isTestMachine } from '../support/machine';
import { hasSystemd, Systemd, type Ended } from '../support/systemd';

const PROJECT = join(__dirname, '..', '..');
const guide = readFileSync(join(PROJECT, 'docs/service.md'), 'utf8');
const HOME = '/srv/grader';
const PORT = 18_345;

const SERVER = `
const { createServer } = require('node:http');
const { createJail } = require('codejail');
const jail = createJail({ limits: { cpu: 60, realtime: 120 } });
createServer(async (request, response) => {
  try {
    const { confined, checks } = await jail.verify('python');
    const globals = {};
    const { confinement } = await jail.safeExec('import os; answer, uid = 6 * 7, os.getuid()', globals);
    const { cgroup } = await jail.inspectHost();
    response.end(JSON.stringify({ confined, lost: checks.filter(({ held }) => !held), ...globals,
      confinement, cgroup, server: process.getuid() }));
  } catch (error) {
    response.end(JSON.stringify({ error: String(error) }));
  }
}).listen(${PORT}, '127.0.0.1');
`;

jest.setTimeout(900_000);

const lacking = !isTestMachine
  ? ' (starts a systemd: npm run test:apparmor)'
  : process.getuid?.() !== 0
    ? ' (needs root)'
    : hasSystemd
      ? ''
      : ' (needs systemd)';

(lacking === '' ? describe : describe.skip)(`docs/codejail.service${lacking}`, () => {
  let systemd: Systemd;

  /** Runs a command that the guide has. */
  function step(command: string): Ended {
    expect(guide).toContain(command);
    return systemd.run(['sh', '-c', command.replaceAll('sudo ', '')], HOME);
  }

  async function answer(): Promise<unknown> {
    for (let tries = 0; tries < 240; tries += 1) {
      const answered = await fetch(`http://127.0.0.1:${PORT}`).catch(() => undefined);
      if (answered !== undefined) {
        return answered.json();
      }
      await pause(500);
    }
    throw new Error(systemd.run(['journalctl', '--no-pager', '-u', 'grader']).stdout);
  }

  /** What the service said, from its last start to its end. */
  async function output(): Promise<string> {
    const property = (name: string): string =>
      systemd.run(['systemctl', 'show', '--value', '-p', name, 'grader']).stdout.trim();
    const started = property('InvocationID');
    for (let tries = 0; tries < 600 && property('SubState') === 'running'; tries += 1) {
      await pause(500);
    }
    const words = ['journalctl', '--no-pager', '-o', 'cat', `_SYSTEMD_INVOCATION_ID=${started}`];
    return systemd.run(words).stdout;
  }

  beforeAll(async () => {
    mkdirSync(join(HOME, 'node_modules/.bin'), { recursive: true });
    writeFileSync(join(HOME, 'server.js'), SERVER);
    symlinkSync(PROJECT, join(HOME, 'node_modules/codejail'));
    symlinkSync('../codejail/dist/cli/codejail.js', join(HOME, 'node_modules/.bin/codejail'));
    systemd = await Systemd.start();
    // This machine has the host's users.
    systemd.run(['userdel', 'grader']);
  });
  afterAll(async () => {
    systemd.run(['userdel', 'grader']);
    await systemd.end();
    rmSync(HOME, { recursive: true });
  });

  it('starts a server whose jails are confined, with a uid and a cgroup of their own', async () => {
    const [, commands = ''] = /As a systemd service[^]*?```sh\n([^]*?)```/.exec(guide) ?? [];
    expect(commands).toContain('systemctl enable --now grader');
    for (const command of commands.split('\n').filter((line) => /^[^#]/.test(line))) {
      if (command.includes('daemon-reload')) {
        const unit = '/etc/systemd/system/grader.service';
        // The guide has its reader change the paths.
        systemd.run(['sed', '-i', `s:/usr/bin/node:${process.execPath}:`, unit]);
        const { stderr } = systemd.run(['systemd-analyze', 'verify', unit]);
        // systemd before 254.
        expect(stderr.replace(/.*Unknown key 'DelegateSubgroup'.*\n/, '')).toBe('');
      }
      expect(step(command)).toMatchObject({ status: 0 });
    }
    const answered = await answer();
    expect(answered).toMatchObject({ confined: true, lost: [], answer: 42 });
    expect((answered as { cgroup: unknown }).cgroup).toMatchObject({
      directory: expect.stringContaining('/grader.service/') as string,
    });
    const { confinement, uid, server } = answered as {
      confinement: string[];
      uid: number;
      server: number;
    };
    expect(confinement).toEqual(
      expect.arrayContaining(['uid-pool', 'cgroup-memory', 'cgroup-pids', 'cgroup-kill']),
    );
    expect(server).toBe(Number(systemd.run(['id', '-u', 'grader']).stdout));
    expect([0, server]).not.toContain(uid);
  });

  it('tells what its jails guarantee, by doctor in its place', async () => {
    const [, override = ''] = /```ini\n([^]*?)```/.exec(guide) ?? [];
    const [, commands = ''] = /then `(sudo systemctl restart grader)`/.exec(guide) ?? [];
    systemd.write('/run/systemd/system/grader.service.d/override.conf', override);
    // The service's own PATH has no other Node than /usr/bin's.
    const node = `[Service]\nEnvironment=PATH=${join(process.execPath, '..')}:/usr/bin:/bin\n`;
    systemd.write('/run/systemd/system/grader.service.d/test.conf', node);
    systemd.run(['systemctl', 'daemon-reload']);
    expect(step(commands)).toMatchObject({ status: 0 });
    const told = await output();
    expect(systemd.run(['systemctl', 'show', '--value', '-p', 'Result', 'grader']).stdout).toBe(
      'success\n',
    );
    for (const guarantee of ['files', 'network', 'memory', 'tasks']) {
      expect(told).toContain(guarantee);
    }

    expect(step('sudo systemctl revert grader')).toMatchObject({ status: 0 });
    systemd.write('/run/systemd/system/grader.service.d/test.conf', node);
    systemd.run(['systemctl', 'daemon-reload']);
    expect(step(commands)).toMatchObject({ status: 0 });
    expect(await answer()).toMatchObject({ confined: true, answer: 42 });
  });
});
