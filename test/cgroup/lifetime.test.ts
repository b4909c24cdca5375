// From the clone into a jail's cgroup to the last trace of it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { hostFacts } from '../../lib/host/host';
import { createJail } from '../../lib/index';
import {
  control,
  describeWithCgroups,
  hasCgroups,
  heldByCgroup,
  jailCgroups,
  ownCgroup,
} from '../support/cgroup';
import { watchLeftovers } from '../support/leftovers';

jest.setTimeout(240_000);
watchLeftovers();

const UNHURRIED = { realtime: 90, cpu: 60 };
const PACKAGE = JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'));
const CGROUP = JSON.stringify(join(__dirname, '..', '..', 'dist', 'host', 'cgroup.js'));
const START = `const { createJail } = require(${PACKAGE});
  const jail = createJail({ limits: { realtime: 90, cpu: 60 } });`;
const LONG = `${START} jail.inspectHost().then(({ cgroup }) => jail.jailCode('python', {
  code: 'print("up", flush=True); import time; time.sleep(80)', onStdout: () => tell(cgroup.directory) }));`;
// What the first use of cgroups in a process does, before any jail.
const SWEEP = `require(${CGROUP}).serverCgroup('auto').then(() => tell('up'));`;
const FORKS_AWAY = [
  'import os, time',
  'for _ in range(3):',
  '    if os.fork() == 0:',
  '        os.setpgid(0, 0)',
  '        if os.fork() == 0: time.sleep(600)',
  '        os._exit(0)',
].join('\n');

async function serverWith(script: string): Promise<{ child: ChildProcess; told: string }> {
  const child = spawn(
    process.execPath,
    ['-e', `const tell = (word) => process.stdout.write(word + '\\n'); ${script}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const told = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve));
  return { child, told: told.toString().trim() };
}

async function killed(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}

describeWithCgroups('the cgroup of a jail', () => {
  it('is gone, with everything in it, when the call settles', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    const result = await jail.jailCode('python', { code: FORKS_AWAY });
    expect(result.status).toBe(0);
    expect(await jailCgroups()).toEqual([]);
  });

  it('is gone when the call was aborted, and when it was never begun', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    for (const milliseconds of [0, 5, 50, 1000]) {
      const signal = AbortSignal.timeout(milliseconds);
      await expect(
        jail.jailCode('python', { code: `${FORKS_AWAY}\ntime.sleep(60)`, signal }),
      ).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(await jailCgroups()).toEqual([]);
    }
  });

  it('is gone when its step of making a jail failed', async () => {
    await expect(
      heldByCgroup('', UNHURRIED, { program: '/usr/lib/no-such-program' }),
    ).rejects.toMatchObject({ code: 'ERR_CODEJAIL_SETUP', step: 'open the program' });
    expect(await jailCgroups()).toEqual([]);
  });

  it('is removed with a later one where it could not be in time', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    let held = '';
    await jail.jailCode('python', {
      code: 'print("up", flush=True); import sys; sys.stdin.read()',
      stdin: (async function* () {
        while (held === '') {
          // One below it keeps a cgroup as a process would that hangs in the kernel (cgroups(7)).
          held = (await jailCgroups())[0] ?? '';
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        mkdirSync(join(held, 'below'));
        yield '';
      })(),
    });
    expect(await jailCgroups()).toEqual([held]);
    rmdirSync(join(held, 'below'));
    await jail.jailCode('python', { code: '1' });
    expect(await jailCgroups()).toEqual([]);
  });

  it('is one for each of many jails at once', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    let most = 0;
    const ready = Array.from({ length: 4 }, async () =>
      jail.jailCode('python', {
        code: 'print("up", flush=True); import sys; sys.stdin.read()',
        stdin: (async function* () {
          while (most < 4) {
            most = Math.max(most, (await jailCgroups()).length);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          yield '';
        })(),
      }),
    );
    const results = await Promise.all(ready);
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(await jailCgroups()).toEqual([]);
  });

  it('ends with the worker thread that had it', async () => {
    const worker = new Worker(
      `const tell = (word) => require('node:worker_threads').parentPort.postMessage(word); ${LONG}`,
      { eval: true },
    );
    const directory = await new Promise<string>((resolve) => worker.once('message', resolve));
    expect(directory).not.toBe(await ownCgroup());
    expect(existsSync(directory)).toBe(true);
    await worker.terminate();
    expect(existsSync(directory)).toBe(false);
  });
});

const isRoot = hostFacts().kind === 'root' && hostFacts().landlock > 0;
const describeAsRoot = isRoot ? describeWithCgroups : describe.skip;
describeAsRoot(
  `the cgroup of a jail without namespaces${isRoot ? '' : ' (needs root and Landlock)'}`,
  () => {
    it('ends what was forked away from an aborted program', async () => {
      const run = heldByCgroup(`${FORKS_AWAY}\ntime.sleep(60)`, UNHURRIED, {
        kind: 'container',
        signals: [AbortSignal.timeout(3000)],
      });
      await expect(run).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(await jailCgroups()).toEqual([]);
    });
  },
);

describeAsRoot(`a kernel that seems to have no clone3${isRoot ? '' : ' (needs root)'}`, () => {
  // As Docker's default seccomp profile answers. The filter: load the number; 435 is refused with ENOSYS.
  const BLIND = `
import ctypes, os, struct, sys
program = struct.pack('HBBI' * 4, 0x20, 0, 0, 0, 0x15, 0, 1, 435, 0x06, 0, 0, 0x00050026, 0x06, 0, 0, 0x7fff0000)
memory = ctypes.create_string_buffer(program)
filter = struct.pack('HxxxxxxP', 4, ctypes.addressof(memory))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.c_char_p(filter), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])`;

  it('has the launcher move itself', () => {
    const script = `${START} jail.jailCode('python', { code: 'print(open("/proc/self/cgroup").read())' })
        .then(({ stdout, confinement }) => console.log(stdout.toString().trim(), confinement.includes('cgroup-memory')));`;
    const run = spawnSync('python3', ['-c', BLIND, process.execPath, '-e', script], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe('0::/ true\n');
  });
});

describeWithCgroups('what a killed server leaves', () => {
  it('is removed at the next start; what a live one has is not', async () => {
    const living = await serverWith(LONG);
    try {
      const dead = await serverWith(LONG);
      await killed(dead.child);
      expect(existsSync(dead.told)).toBe(true);
      expect(dirname(dead.told)).toBe(dirname(living.told));
      const next = await serverWith(SWEEP);
      await killed(next.child);
      expect(existsSync(dead.told)).toBe(false);
      expect(existsSync(living.told)).toBe(true);
      const jails = readdirSync(living.told).filter((name) => name.startsWith('jail-'));
      expect(jails).toHaveLength(1);
      expect(control(join(living.told, jails[0] ?? ''), 'cgroup.events')).toContain('populated 1');
    } finally {
      await killed(living.child);
      // The last one of this test sweeps.
      const last = await serverWith(SWEEP);
      const closed = new Promise((resolve) => last.child.once('close', resolve));
      await closed;
    }
  });

  it('is nothing where it ended by itself', async () => {
    const server = await serverWith(
      `${START} jail.inspectHost().then(({ cgroup }) => { tell(cgroup.directory); });`,
    );
    await new Promise((resolve) => server.child.once('close', resolve));
    expect(basename(server.told)).toMatch(/^codejail-/);
    expect(existsSync(server.told)).toBe(false);
  });
});

if (!hasCgroups) {
  it('is not needed: every guarantee holds on a host without cgroup v2', async () => {
    await using jail = createJail({ limits: UNHURRIED });
    const report = await jail.inspectHost();
    expect(report.confined).toBe(true);
    expect(report.cgroup).toMatchObject({
      directory: null,
      why: expect.stringMatching(/./) as string,
      cure: expect.stringMatching(/./) as string,
    });
    const { confinement } = await jail.jailCode('python', { code: '' });
    expect(confinement.join()).not.toContain('cgroup-memory');
  });
}
