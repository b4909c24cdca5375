// What a pool of real cells does for a jail.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createJail, type Jail } from '../../lib/index';
import { leftovers, settledLeftovers, traces, watchLeftovers } from '../support/leftovers';
import { statusField } from '../support/processes';
import { UNHURRIED, useSuite } from '../support/suite';
import { jailOfTwoCells } from '../support/warm';

const suite = useSuite();
const folders: string[] = [];
let jail: Jail;

beforeEach(() => {
  jail = jailOfTwoCells();
});

afterEach(async () => {
  await jail.close();
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true });
  }
});

// Last, so that it looks when the suite itself has tidied up.
watchLeftovers();

const PACKAGE = JSON.stringify(join(__dirname, '..', '..'));

it('serves calls of both kinds by cells that wait', async () => {
  await jail.warmUp();
  const globals: Record<string, unknown> = { x: 20 };
  const exec = await jail.safeExec('y = x + 1', globals);
  const script = await jail.jailCode('python', {
    code: 'import sys; print(sys.argv)',
    argv: ['a'],
  });
  expect(globals['y']).toBe(21);
  expect(script.stdout.toString()).toBe("['jailed_code', 'a']\n");
  expect(exec.confinement).toContain('warm');
  expect(script.confinement).toContain('warm');
  expect(jail.stats()).toMatchObject({ warm: 2, cold: 0 });
});

/** Every PID 1 of a cell, and what else runs the launcher's program; not the dead that nobody has waited for yet. */
function supervisors(): string[] {
  return readdirSync('/proc').filter(
    (name) =>
      statusField(name, 'Name')?.startsWith('codejail-launch') === true &&
      statusField(name, 'State')?.startsWith('Z') === false,
  );
}

/** The main process of each cell of these supervisors: the third one of its namespace. */
function mainProcesses(parents: readonly string[]): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'latin1');
      const parent = /^PPid:\t(\d+)$/m.exec(status)?.[1] ?? '';
      return parents.includes(parent) && /^NSpid:\t\d+.*\t\d+\t3$/m.test(status);
    } catch {
      return false;
    }
  });
}

it.each([
  ['a result', 'a = 17', 'fulfilled'],
  ['an exception', '1 / 0', 'rejected'],
])('settles with %s when the cell’s PID 1 is dead too', async (_what, code, how) => {
  for (let call = 0; call < 20; call += 1) {
    await jail.warmUp();
    const before = supervisors();
    const [settled] = await Promise.allSettled([jail.safeExec(code, {})]);
    const now = supervisors();
    expect(settled.status).toBe(how);
    expect(before.filter((process_) => !now.includes(process_))).toHaveLength(1);
  }
  expect(jail.stats()).toMatchObject({ warm: 20, cold: 0 });
});

it('gives a call another cell where the first one has died unseen', async () => {
  const others = supervisors();
  await jail.warmUp();
  const killed = mainProcesses(supervisors().filter((name) => !others.includes(name)));
  expect(killed.length).toBeGreaterThanOrEqual(2);
  for (const name of killed) {
    process.kill(Number(name), 'SIGKILL');
  }
  // The event loop learns nothing of it meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  const globals: Record<string, unknown> = {};
  await jail.safeExec('a = 17', globals);
  expect(globals).toEqual({ a: 17 });
});

it('verifies the processes that wait too', async () => {
  const { checks, cells, confined } = await jail.verify();
  const attempts = (found: typeof checks | null) =>
    found?.map(({ guarantee, check }) => `${guarantee}: ${check}`).sort();
  expect(confined).toBe(true);
  expect(cells?.filter(({ held }) => !held)).toEqual([]);
  expect(cells?.length).toBeGreaterThan(20);
  const own = attempts(checks) ?? [];
  expect(attempts(cells)?.filter((attempt) => !own.includes(attempt))).toEqual([]);
  jail.configure('cold', 'python3');
  expect((await jail.verify('cold')).cells).toBeNull();
});

it('tells by verify what is missing, also where no jail can be made for what was given up', async () => {
  await using other = createJail({ allowMissing: ['files'] });
  other.configure('python', { bin: 'python3', profile: 'codejail-no-such', warm: { size: 1 } });
  const { confined, checks, cells, missing } = await other.verify();
  expect({ confined, checks, cells }).toEqual({ confined: false, checks: [], cells: null });
  expect(missing.map(({ guarantee }) => guarantee)).toEqual(['files']);
});

it('gives every one of many calls at once its own answer', async () => {
  await jail.warmUp();
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, x) => (await jail.safeExec('y = x * x', { x })).globals),
  );
  expect(answers.map(({ y }) => y)).toEqual(answers.map((_, x) => x * x));
  expect(jail.stats()).toMatchObject({ calls: 30, running: 0, waiting: 0 });
});

it('runs cold what a cell can not serve, with the same result', async () => {
  await jail.warmUp();
  const file = suite.file('data.txt', 'from the host');
  const code = 'print(open("data.txt").read())';
  const { stdout, confinement } = await jail.jailCode('python', { code, files: [file] });
  expect(stdout.toString()).toBe('from the host\n');
  expect(confinement).not.toContain('warm');
  expect(jail.stats().whyCold).toEqual({ files: 1 });
});

it('runs cold by CODEJAIL_PROXY=0 and by the limit proxy', async () => {
  await jail.warmUp();
  await jail.safeExec('', {}, { limits: { proxy: 0 } });
  process.env['CODEJAIL_PROXY'] = '0';
  try {
    await jail.safeExec('', {});
  } finally {
    delete process.env['CODEJAIL_PROXY'];
  }
  expect(jail.stats().whyCold).toEqual({ proxy: 2 });
});

it('serves a pythonPath that its template searched, to the calls that name it only', async () => {
  // Not in /tmp, and readable by the jail's user, as what is shown to a jail has to be.
  const path = mkdtempSync('/var/tmp/suite-');
  chmodSync(path, 0o755);
  writeFileSync(join(path, 'own_module.py'), 'VALUE = 7');
  folders.push(path);
  jail.configure('python', {
    bin: 'python3',
    warm: { size: 2, memoryReserve: 0, pythonPath: [path] },
  });
  await jail.warmUp();
  const code = 'import own_module; value = own_module.VALUE';
  const { globals, confinement } = await jail.safeExec(code, {}, { pythonPath: [path] });
  expect(globals['value']).toBe(7);
  expect(confinement).toContain('warm');
  await expect(jail.safeExec(code, {})).rejects.toThrow('own_module');
});

it('rejects warmUp where a module has mapped memory that all calls would write to', async () => {
  const path = mkdtempSync('/var/tmp/suite-');
  chmodSync(path, 0o755);
  writeFileSync(join(path, 'sharing.py'), 'import mmap\nshared = mmap.mmap(-1, 4096)');
  folders.push(path);
  const warm = { size: 1, memoryReserve: 0, pythonPath: [path], preload: ['sharing'] };
  jail.configure('python', { bin: 'python3', warm });
  await expect(jail.warmUp()).rejects.toMatchObject({
    code: 'ERR_CODEJAIL_SETUP',
    message: expect.stringContaining('memory that processes share') as string,
  });
});

it('rejects warmUp with what Python said where a module is missing, and runs cold', async () => {
  jail.configure('python', { bin: 'python3', warm: { preload: ['no_such_module'] } });
  await expect(jail.warmUp()).rejects.toMatchObject({
    code: 'ERR_CODEJAIL_SETUP',
    message: expect.stringContaining('no_such_module') as string,
  });
  const { globals } = await jail.safeExec('a = 17', {});
  expect(globals).toEqual({ a: 17 });
  expect(jail.stats().whyCold).toEqual({ failed: 1 });
});

it('leaves nothing of a pool whose command is configured anew', async () => {
  const before = traces();
  await jail.warmUp();
  jail.configure('python', 'python3');
  expect(await settledLeftovers(before)).toEqual({});
});

describe('a jail that is closed', () => {
  it.each([
    ['while a command is verified', async () => jail.verify('python')],
    ['while a pool is started', async () => jail.warmUp()],
    ['in the turn of its first call', async () => jail.jailCode('python', { code: '' })],
  ])('%s makes no pool any more', async (_when, begin) => {
    // What a first look at the host leaves open is no pool's.
    await jail.verify('python');
    await jail.close();
    jail = jailOfTwoCells();
    const before = traces();
    const begun = begin();
    await jail.close();
    await expect(begun).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    expect(jail.stats().pools).toEqual({});
    expect(await settledLeftovers(before)).toEqual({});
  });

  it('is told of no pool of a command that is configured anew while it is verified', async () => {
    await jail.verify('python');
    const before = traces();
    const verified = jail.verify('python');
    jail.configure('python', 'python3');
    expect((await verified).cells).toBeNull();
    expect(await settledLeftovers(before)).toEqual({});
  });
});

const itAsRoot = process.getuid?.() === 0 ? it : it.skip;
const needsRoot = process.getuid?.() === 0 ? '' : ' (needs root: other users take no uid)';

itAsRoot(`runs cells with the sandbox user's uid on the host${needsRoot}`, async () => {
  const NOBODY = 65_534;
  jail.configure('python', {
    bin: 'python3',
    user: 'nobody',
    warm: { size: 1, memoryReserve: 0 },
  });
  await jail.warmUp();
  const owners = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const isCell = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('template.py');
          return isCell ? [statSync(`/proc/${name}`).uid] : [];
        } catch {
          // It has ended meanwhile.
          return [];
        }
      });
  const seen: number[] = [];
  const { confinement } = await jail.jailCode('python', {
    code: 'import time; print("up", flush=True); time.sleep(0.2)',
    onStdout: () => seen.push(...owners()),
  });
  expect(confinement).toEqual(expect.arrayContaining(['sandbox-user', 'warm']));
  expect(seen).toContain(NOBODY);
});

itAsRoot(`takes one uid of the pool for a template, and none for cells${needsRoot}`, async () => {
  const uidPool = { first: 1_900_200_000, count: 2 };
  await using small = createJail({ uidPool, limits: UNHURRIED });
  small.configure('python', { bin: 'python3', warm: { size: 2, memoryReserve: 0 } });
  await small.warmUp();
  const warm = await Promise.all([1, 2].map(async () => small.safeExec('a = 17', {})));
  const cold = await small.jailCode('python', { code: '', env: { A: '1' } });
  expect(warm.map(({ confinement }) => confinement.includes('warm'))).toEqual([true, true]);
  expect(cold.confinement).not.toContain('warm');
});

it('keeps a cell whose call was aborted before it began, or ends it', async () => {
  await jail.warmUp();
  const before = traces();
  for (let count = 0; count < 6; count += 1) {
    const controller = new AbortController();
    const call = jail.safeExec('a = 17', {}, { signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
  }
  await jail.warmUp();
  const { cellsReady, cellsRunning } = jail.stats().pools['python']!;
  expect([cellsReady, cellsRunning]).toEqual([2, 0]);
  const processes = () => leftovers(before).processes?.length ?? 0;
  for (let look = 0; look < 100 && processes() > 6; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Those of the two that wait, at most: a supervisor, a Python, and a keeper of each.
  expect(processes()).toBeLessThanOrEqual(8);
});

it('keeps the cell to which a call was announced that was refused or aborted', async () => {
  await jail.warmUp();
  // By then a call is announced to a cell.
  const pause = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  await pause();
  await expect(jail.safeExecJson('a = 17', '[')).rejects.toThrow('globals');
  await pause();
  await expect(
    jail.safeExec('a = 17', {}, { signal: AbortSignal.abort(new Error('gone')) }),
  ).rejects.toThrow('gone');
  for (let call = 0; call < 3; call += 1) {
    const globals: Record<string, unknown> = {};
    await jail.safeExec('a = 17', globals);
    expect(globals['a']).toBe(17);
    await pause();
  }
  await jail.warmUp();
  expect(jail.stats()).toMatchObject({ warm: 3, cold: 0, pools: { python: { cellsMade: 5 } } });
});

it('lets PID 1 run on every processor again, a moment after the call has begun', async () => {
  const code = [
    'import os, time',
    'def allowed(process):',
    '    lines = open("/proc/%s/status" % process).read().splitlines()',
    '    return [line for line in lines if line.startswith("Cpus_allowed:")]',
    'time.sleep(0.1)',
    'same = allowed(1) == allowed("self")',
    'del allowed',
  ].join('\n');
  await jail.warmUp();
  for (let call = 0; call < 3; call += 1) {
    const globals: Record<string, unknown> = {};
    await jail.safeExec(code, globals);
    expect(globals['same']).toBe(true);
  }
});

it('leaves no descriptor open when its worker ends without close()', async () => {
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const code = `
    const { createJail } = require(${PACKAGE});
    const { parentPort } = require('node:worker_threads');
    const jail = createJail();
    jail.configure('python', { bin: 'python3', warm: { size: 3, memoryReserve: 0 } });
    jail.warmUp().then(() => {
      jail.safeExec('import time; time.sleep(60)', {}).catch(() => undefined);
      setImmediate(() => parentPort.postMessage('stands'));
    });`;
  const run = async () => {
    const worker = new Worker(code, { eval: true });
    await once(worker, 'message');
    await worker.terminate();
  };
  await run();
  const before = descriptors();
  await run();
  await run();
  expect(descriptors()).toBeLessThanOrEqual(before);
});

it('keeps no process alive, and leaves nothing when that ends without close()', async () => {
  const before = traces();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '-e',
      `const { createJail } = require(${PACKAGE});
       const jail = createJail({ commands: { python: { bin: 'python3', warm: { memoryReserve: 0 } } } });
       jail.warmUp().then(() => jail.safeExec('a = 17', {})).then(({ confinement }) => {
         console.log(confinement.includes('warm'));
       });`,
    ],
    { encoding: 'utf8', timeout: 25_000 },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true\n', stderr: '' });
  expect(await settledLeftovers(before)).toEqual({});
});
