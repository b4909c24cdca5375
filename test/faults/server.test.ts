// What happens to jails when something happens to their server, and what they do to it: nothing.
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createJail } from '../../lib/index';
import { settledLeftovers, traces, watchLeftovers } from '../support/leftovers';

watchLeftovers();

jest.setTimeout(180_000);

// Child processes and workers load what is built: Jest's transform is not theirs.
const PACKAGE = JSON.stringify(join(__dirname, '..', '..'));
const LONG = `require(${PACKAGE}).jailCode('python', { code: 'import os, time\\nfor _ in range(2):\\n  if os.fork() == 0: os.setpgid(0, 0)\\nprint("up", flush=True)\\ntime.sleep(60)', limits: { realtime: 90 }, onStdout: () => tell('up') })`;

/** A session whose state has a thread, and a fork of it with steps under way: one of its own processes, two in branches. */
const SESSION = `(async () => {
  const session = await require(${PACKAGE}).openSession({ limits: { realtime: 90, nproc: 40 } });
  const other = await session.fork();
  await session.run('import threading, time\\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()');
  const code = 'import os, time\\nfor _ in range(2):\\n  if os.fork() == 0: os.setpgid(0, 0)\\nprint("up", flush=True)\\ntime.sleep(60)';
  let running = 0;
  const onStdout = () => { running += 1; if (running === 3) tell('up'); };
  void session.run(code, { onStdout });
  for (let i = 0; i < 2; i += 1) void other.run(code, { keep: 'never', onStdout });
})()`;

async function serverWith(script: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['-e', `const tell = (word) => process.stdout.write(word + '\\n'); ${script}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

function launchers(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('codejail-launch');
    } catch {
      return false;
    }
  });
}

it('leaves nothing of its jails when it is killed by SIGKILL', async () => {
  const before = traces();
  const server = await serverWith(`${LONG}; ${LONG};`);
  expect(launchers().length).toBeGreaterThan(0);
  server.kill('SIGKILL');
  await new Promise((resolve) => server.once('close', resolve));
  expect(await settledLeftovers(before)).toEqual({});
});

it('leaves nothing of its sessions when it is killed by SIGKILL', async () => {
  const before = traces();
  const server = await serverWith(`${SESSION}; ${SESSION};`);
  expect(launchers().length).toBeGreaterThan(0);
  server.kill('SIGKILL');
  await new Promise((resolve) => server.once('close', resolve));
  expect(await settledLeftovers(before)).toEqual({});
});

it('leaves nothing of its jails when it exits', async () => {
  const before = traces();
  const server = await serverWith(`process.once('SIGUSR2', () => process.exit()); ${LONG};`);
  server.kill('SIGUSR2');
  await new Promise((resolve) => server.once('close', resolve));
  expect(await settledLeftovers(before)).toEqual({});
});

it.each([
  ['sessions', SESSION],
  ['jails', LONG],
])('leaves nothing of the %s of a worker that is terminated', async (_, code) => {
  const before = traces();
  const worker = new Worker(
    `const tell = (word) => require('node:worker_threads').parentPort.postMessage(word); ${code}`,
    { eval: true },
  );
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  expect(await settledLeftovers(before)).toEqual({});
});

it.each(['0', '0.001'])(
  'leaves nothing of a warm call that writes all it can in a worker that is terminated, after pauses of %s s',
  async (pause) => {
    const before = traces();
    const flood = `import os, time\\nwhile True: os.write(1, b"x" * 9000); os.write(4, b"y" * 9000); time.sleep(${pause})`;
    const worker = new Worker(
      `const { createJail } = require(${PACKAGE});
       const jail = createJail({ limits: { output: 0, realtime: 60 } });
       jail.configure('python', { bin: 'python3', warm: { size: 1, memoryReserve: 0 } });
       jail.warmUp().then(() => {
         jail.safeExec('${flood}', {}).catch(() => undefined);
         setTimeout(() => require('node:worker_threads').parentPort.postMessage('floods'), 50);
       });`,
      { eval: true },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    expect(await settledLeftovers(before)).toEqual({});
  },
);

it('supports calls from several workers at once', async () => {
  const results = await Promise.all(
    Array.from({ length: 4 }, async (_item, index) => {
      const worker = new Worker(
        `const { safeExec } = require(${PACKAGE}); (async () => { const globals = { seen: [] };
         for (let i = 0; i < 4; i++) await safeExec('seen.append(' + i + ')', globals, { limits: { realtime: 20, cpu: 10 } });
         require('node:worker_threads').parentPort.postMessage(globals.seen); })()`,
        { eval: true },
      );
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      const seen = await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      await exited;
      return [index, seen];
    }),
  );
  expect(results).toEqual([0, 1, 2, 3].map((index) => [index, [0, 1, 2, 3]]));
});

it('rejects the call whose launcher was killed from outside', async () => {
  await using jail = createJail({ limits: { realtime: 30 } });
  await jail.jailCode('python', { code: '' });
  const known = new Set(launchers());
  const running = jail.jailCode('python', {
    code: 'print("up", flush=True); import time; time.sleep(20)',
    onStdout: () => {
      for (const process_ of launchers().filter((name) => !known.has(name))) {
        try {
          process.kill(Number(process_), 'SIGKILL');
        } catch {
          // Another one's, or gone already.
        }
      }
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'ERR_CODEJAIL_SETUP', step: 'supervise' });
});

// What a debugger, a profiler and a signal handler of the server depend on.
function ownState(): Record<string, string> {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string): string =>
    new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  return {
    // The kernel gives these files to root when a process is not dumpable (proc(5)).
    dumpableOwner: String(statSync('/proc/self/environ').uid),
    ...Object.fromEntries(
      [
        'Uid',
        'Gid',
        'Groups',
        'CapEff',
        'CapPrm',
        'CapBnd',
        'NoNewPrivs',
        'Seccomp',
        'SigBlk',
        'SigIgn',
        'SigCgt',
      ].map((name) => [name, field(name)]),
    ),
  };
}

it('keeps its credentials, dumpable flag and signals through any number of calls', async () => {
  await using jail = createJail({ limits: { realtime: 20, cpu: 10 } });
  await jail.jailCode('python', { code: '' });
  const before = ownState();
  for (let call = 0; call < 10; call += 1) {
    await jail.jailCode('python', { code: '' });
  }
  await Promise.all(Array.from({ length: 10 }, async () => jail.jailCode('python', { code: '' })));
  expect(ownState()).toEqual(before);
});

it('keeps descriptors and memory flat over a hundred calls', async () => {
  await using jail = createJail({ commands: { true: '/bin/true' } });
  const call = async (): Promise<unknown> => jail.jailCode('true');
  for (let i = 0; i < 20; i += 1) await call();
  const descriptors = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 100; i += 1) await call();
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors + 1);
});

const isRoot = process.getuid?.() === 0;
(isRoot ? it : it.skip)(
  `rejects what is over the pool of uids, and lends them again${isRoot ? '' : ' (needs CAP_SETUID: an ordinary user has no pool)'}`,
  async () => {
    await createJail().jailCode('python', { code: '' });
    const jail = createJail({
      commands: { sleep: { bin: '/bin/sleep', args: ['0.5'] } },
      uidPool: { first: 1_950_000_000, count: 8 },
      limits: { realtime: 20 },
    });
    // The probes need five uids at once.
    await jail.jailCode('sleep');
    // As many at a time as there are uids, unless it is told otherwise.
    expect(jail.stats().queue.maxRunning).toBeLessThanOrEqual(8);
    jail.setBounds({ maxRunning: 10 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, async () => jail.jailCode('sleep')),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({
      reason: { code: 'ERR_CODEJAIL_SETUP', step: 'lease a uid', errnoName: 'EAGAIN' },
    });
    await sleep(10);
    await expect(jail.jailCode('sleep')).resolves.toMatchObject({ status: 0 });
  },
);
