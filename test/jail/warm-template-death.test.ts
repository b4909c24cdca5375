// A template that is killed while cells are made of it: nothing waits for what it never took.
import { readFileSync } from 'node:fs';
import { createJail } from '../../lib/index';

jest.setTimeout(120_000);

function childrenOf(process: number): number[] {
  try {
    return readFileSync(`/proc/${process}/task/${process}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function descendantsOf(process: number): number[] {
  return childrenOf(process).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** The template's Python: the first of the pool's Pythons, of which the others were forked. */
function templateOf(server: number, before: ReadonlySet<number>): number {
  return descendantsOf(server)
    .filter((process) => !before.has(process))
    .filter((process) => readFileSync(`/proc/${process}/cmdline`, 'latin1').includes('python3'))
    .sort((one, other) => one - other)[0] as number;
}

it('lets the pool close, whenever it was killed', async () => {
  for (let round = 0; round < 6; round += 1) {
    const before = new Set(descendantsOf(process.pid));
    const jail = createJail({
      commands: { python: { bin: '/usr/bin/python3', warm: { size: 4, memoryReserve: 0 } } },
      limits: { realtime: 25, cpu: 15 },
    });
    await jail.warmUp();
    const template = templateOf(process.pid, before);
    // Calls take the waiting cells, so that new ones are being made when it dies.
    const calls = Array.from({ length: 6 }, async () =>
      jail.jailCode('python', { code: 'import time; time.sleep(0.05); print(1)' }),
    );
    await new Promise((resolve) => setTimeout(resolve, round * 5));
    process.kill(template, 'SIGKILL');
    for (const { stdout } of await Promise.all(calls)) {
      expect(stdout.toString()).toBe('1\n');
    }
    await jail.close();
  }
});
