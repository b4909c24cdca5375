// What a program finds in a waiting Python, and what the server holds of one.
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Jail } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { jailOfTwoCells } from '../support/warm';

let jail: Jail;

beforeEach(() => {
  jail = jailOfTwoCells();
});

afterEach(async () => {
  await jail.close();
});

// Last, so that it looks when the jail is closed.
watchLeftovers();

it.each([
  ['', []],
  [' without site', ['-S']],
])(
  'has what a Python that has just started%s has: modules, save one, and frames',
  async (_what, args) => {
    jail.configure('python', { bin: 'python3', args, warm: { size: 2, memoryReserve: 0 } });
    const code = `
import sys
modules = sorted(sys.modules)
frame, depth = sys._getframe(), 0
while frame is not None:
    frame, depth = frame.f_back, depth + 1`;
    const seenWith = async (limits: object): Promise<{ modules?: string[]; depth?: number }> => {
      const globals = {};
      await jail.safeExec(code, globals, { limits });
      return globals;
    };
    await jail.warmUp();
    const [warm, cold] = [await seenWith({}), await seenWith({ proxy: 0 })];
    expect(jail.stats()).toMatchObject({ warm: 1, cold: 1 });
    expect(warm.modules).toEqual([...new Set([...cold.modules!, '_ctypes'])].sort());
    expect(warm.depth).toBe(cold.depth);
  },
);

it('takes less memory of its own than a cold call, code in huge pages aside: each cell copies its page tables', async () => {
  const code = `
fields = [line.split() for line in open('/proc/self/smaps_rollup')]
own = {name: int(size) for name, size, *_ in fields if name in ('Anonymous:', 'AnonHugePages:')}
kilobytes = own['Anonymous:'] - own['AnonHugePages:']`;
  const kilobytesOf = async (limits: object): Promise<number> => {
    const globals: Record<string, unknown> = {};
    await jail.safeExec(code, globals, { limits });
    return globals['kilobytes'] as number;
  };
  await jail.warmUp();
  const [warm, cold] = [await kilobytesOf({}), await kilobytesOf({ proxy: 0 })];
  expect(jail.stats()).toMatchObject({ warm: 1, cold: 1 });
  expect(warm).toBeGreaterThan(0);
  expect(warm).toBeLessThan(cold);
});

it('leaves the filter of a cell to its PID 1, and holds none of a dead one', async () => {
  const filters = () =>
    readdirSync('/proc/self/fd').filter((descriptor) => {
      try {
        return readlinkSync(join('/proc/self/fd', descriptor)).includes('seccomp');
      } catch {
        return false;
      }
    }).length;
  const others = filters();
  await jail.warmUp();
  expect(filters()).toBe(others);
  await jail.safeExec('', {});
  await jail.close();
  await new Promise(setImmediate);
  expect(filters()).toBe(others);
});
