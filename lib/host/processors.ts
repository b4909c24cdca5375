// How many processors this process may use.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/** Gives a file's text, or nothing. */
type Read = (path: string) => string;

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

const TREE = '/sys/fs/cgroup';
// Version 1 has one tree for each controller, and a container sees its own part as the whole.
const FIRST_VERSION = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct'];

/** The processors that a quota of cgroup v2 comes to: `150000 100000` is one and a half. */
function quotaOf(text: string): number {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0
    ? quota / period
    : Number.POSITIVE_INFINITY;
}

/**
 * The processors that this process's cgroup may use, and those above it; Infinity where none says.
 * @param read gives the text of a file, or nothing
 */
export function cgroupProcessors(read: Read = readText): number {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? '/';
  let least = Number.POSITIVE_INFINITY;
  for (let path = own; ; path = dirname(path)) {
    least = Math.min(least, quotaOf(read(join(TREE, path, 'cpu.max'))));
    if (path === '/') {
      break;
    }
  }
  for (const directory of FIRST_VERSION) {
    const quota = read(join(directory, 'cpu.cfs_quota_us'));
    least = Math.min(least, quotaOf(`${quota} ${read(join(directory, 'cpu.cfs_period_us'))}`));
  }
  return least;
}

let known: number | undefined;

/** The processors that this process may use, by its affinity and the quota of its cgroup, rounded up; read once. */
export function processors(): number {
  known ??= Math.max(1, Math.min(availableParallelism(), Math.ceil(cgroupProcessors())));
  return known;
}
