// What a jail's cgroup limits by itself, for all of its processes together.
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJail } from '../../lib/index';
import type { RunResult } from '../../lib/run/conclusion';
import {
  control,
  describeWithCgroups,
  hasProcessorController,
  heldByCgroup,
  jailCgroups,
  ownCgroup,
  serverWeight,
} from '../support/cgroup';
import { watchLeftovers } from '../support/leftovers';

jest.setTimeout(240_000);
watchLeftovers();

const MEBIBYTE = 1024 * 1024;
const MEMORY = 32 * MEBIBYTE;
// What `memory` does not count is let through: files of tmp, libraries, the kernel's own.
const WALL = MEMORY + 1 * MEBIBYTE + 32 * MEBIBYTE;

describeWithCgroups('the cgroup of a jail', () => {
  it('denies one process more memory than the limit', async () => {
    const result = await heldByCgroup('held = bytearray(200 << 20)\nprint("held")', {
      memory: MEMORY,
      disk: MEBIBYTE,
    });
    expect(result).toMatchObject({ outcome: 'memory-limit', status: -9, signal: 'SIGKILL' });
    expect(result.stdout.toString()).toBe('');
    expect(result.exceeded).toMatchObject({ limit: 'memory', allowed: MEMORY });
    expect(result.exceeded?.measured).toBeGreaterThan(WALL - MEBIBYTE);
    // The set-up's own is beside it.
    expect(result.exceeded?.measured).toBeLessThan(WALL + 16 * MEBIBYTE);
  });

  it('denies several processes together more, of which none alone takes as much', async () => {
    const result = await heldByCgroup(
      [
        'import os, time',
        'for _ in range(5):',
        '    if os.fork() == 0:',
        '        held = bytearray(20 << 20)',
        '        time.sleep(600)',
        'time.sleep(600)',
      ].join('\n'),
      { memory: MEMORY, disk: MEBIBYTE },
    );
    expect(result.outcome).toBe('memory-limit');
    expect(result.usage.userMs + result.usage.systemMs).toBeGreaterThan(0);
  });

  const itShares = hasProcessorController ? it : it.skip;
  itShares(
    `weighs as much as another, and all together a tenth of their server${hasProcessorController ? '' : ' (needs the controller cpu)'}`,
    async () => {
      let weights: string[] = [];
      async function* untilBothAreThere(): AsyncGenerator<string> {
        for (let turn = 0; turn < 6000 && weights.length < 2; turn += 1) {
          weights = (await jailCgroups()).map((jail) => control(jail, 'cpu.weight'));
          await sleep(20);
        }
        yield '';
      }
      const call = async (): Promise<RunResult['result']> =>
        heldByCgroup(
          'import sys\nsys.stdin.read()',
          { realtime: 200 },
          { stdin: untilBothAreThere() },
        );
      const results = await Promise.all([call(), call()]);
      expect(results.map(({ status }) => status)).toEqual([0, 0]);
      expect(weights).toEqual(['100', '100']);
      expect(control(await ownCgroup(), 'cpu.weight')).toBe('10');
      // Processes that are in the tree's root compete with its cgroups by their nice values.
      expect(['', '100']).toContain(serverWeight());
    },
  );

  it('allows what is below the limit, whatever the set-up took', async () => {
    const result = await heldByCgroup(
      'import os\nheld = bytearray(20 << 20)\nprint(os.path.getsize("large"))',
      { memory: MEMORY, disk: MEBIBYTE },
      {
        files: [
          {
            name: 'jailed_code',
            content: 'import os\nheld = bytearray(20 << 20)\nprint(os.path.getsize("large"))',
          },
          // Larger than the limit: it is not the program that takes this.
          { name: 'large', content: Buffer.alloc(2 * WALL) },
        ],
      },
    );
    expect(result).toMatchObject({ outcome: 'exited', status: 0 });
    expect(result.stdout.toString()).toBe(`${2 * WALL}\n`);
  });

  it('denies more tasks than the limit', async () => {
    const result = await heldByCgroup(
      [
        'import os, time',
        'made = 1',
        'try:',
        '    while made < 40:',
        '        if os.fork() == 0: time.sleep(600)',
        '        made += 1',
        'except BlockingIOError: print(made)',
      ].join('\n'),
      { nproc: 8 },
    );
    // One more where a second launcher had yet to be gone.
    expect([8, 9]).toContain(Number(result.stdout.toString()));
  });

  it('counts the CPU of children that nobody waits for', async () => {
    const result = await heldByCgroup(
      [
        'import os, signal, time',
        'signal.signal(signal.SIGCHLD, signal.SIG_IGN)',
        'while True:',
        '    if os.fork() == 0:',
        '        until = time.process_time() + 0.01',
        '        while time.process_time() < until: pass',
        '        os._exit(0)',
        '    time.sleep(0.012)',
      ].join('\n'),
      { cpu: 1 },
    );
    expect(result.outcome).toBe('cpu-limit');
    expect(result.exceeded?.measured).toBeGreaterThanOrEqual(1);
  });

  it('has no swap, dies as a whole, and is bounded from the program’s start on', async () => {
    let seen: Record<string, string> = {};
    const result = await heldByCgroup(
      'print("up", flush=True)\nimport sys\nsys.stdin.read()',
      { memory: MEMORY, disk: MEBIBYTE, nproc: 8 },
      {
        stdin: (async function* () {
          let cgroup: string | undefined;
          while (cgroup === undefined || control(cgroup, 'memory.max') === 'max') {
            await new Promise((resolve) => setTimeout(resolve, 20));
            [cgroup] = await jailCgroups();
          }
          seen = {
            oomGroup: control(cgroup, 'memory.oom.group'),
            memory: control(cgroup, 'memory.max'),
            tasks: control(cgroup, 'pids.max'),
            swap: control(dirname(cgroup), 'memory.swap.max'),
          };
          yield '';
        })(),
      },
    );
    expect(result.status).toBe(0);
    expect(seen).toMatchObject({ oomGroup: '1', swap: '0' });
    expect(Number(seen['memory'])).toBeGreaterThan(WALL);
    expect(Number(seen['memory'])).toBeLessThan(WALL + 16 * MEBIBYTE);
    expect([9, 10]).toContain(Number(seen['tasks']));
  });
});

describeWithCgroups('a server that has cgroups', () => {
  it('proves them, and says what serves what', async () => {
    await using jail = createJail({ limits: { realtime: 60, cpu: 20 } });
    const report = await jail.inspectHost();
    expect(report.cgroup).toEqual({ directory: await ownCgroup() });
    expect(report.confined).toBe(true);
    const servedBy = (name: string): string[] =>
      report.guarantees.find(({ guarantee }) => guarantee === name)?.servedBy ?? [];
    expect(servedBy('memory')).toEqual(
      expect.arrayContaining(['cgroup-memory', 'rlimits', 'sampled-sums']),
    );
    expect(servedBy('tasks')).toContain('cgroup-pids');
    expect(servedBy('cpu')).toContain('cgroup-cpu');
    expect(servedBy('processes')).toContain('cgroup-kill');
    const { checks } = await jail.verify();
    expect(checks.filter(({ check }) => check.includes('past the cgroup alone'))).toMatchObject([
      { guarantee: 'memory', held: true },
      { guarantee: 'tasks', held: true },
    ]);
  });

  it('does without where that is asked for', async () => {
    await using jail = createJail({ cgroup: false, limits: { realtime: 60, cpu: 20 } });
    const { confinement } = await jail.jailCode('python', { code: '' });
    expect(confinement.join()).not.toContain('cgroup-memory');
  });

  it('takes the cgroup that is named, and no other', async () => {
    const named = dirname(await ownCgroup());
    await using jail = createJail({
      cgroup: named as `/${string}`,
      limits: { realtime: 60, cpu: 20 },
    });
    const { confinement } = await jail.jailCode('python', { code: '' });
    expect(confinement).toContain('cgroup-memory');
  });
});

it('denies every call where the cgroup that is named can not be used', async () => {
  await using jail = createJail({ cgroup: '/sys/fs/cgroup/no-such-cgroup' });
  await expect(jail.jailCode('python', { code: '' })).rejects.toMatchObject({
    code: 'ERR_CODEJAIL_SETUP',
    step: 'make the cgroup',
  });
});
