// What a jail may leave on the host, looked for before and after each test.
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';

/** Names of what is there, by kind. */
export type Traces = Record<
  'processes' | 'children' | 'mounts' | 'directories' | 'descriptors' | 'leases' | 'cgroups',
  string[]
>;

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

// Dead, and not ours to reap: the orphan of a server that was killed, where PID 1 is no init, as in many
// containers.
function isForeignZombie(process_: string): boolean {
  const [, state, parent] = / ([A-Z]) (\d+) /.exec(read(`/proc/${process_}/stat`)) ?? [];
  return state === 'Z' && Number(parent) !== process.pid;
}

function isJailed(process_: string): boolean {
  try {
    const { uid } = statSync(`/proc/${process_}`);
    const name = read(`/proc/${process_}/comm`).trim();
    const isOfPool =
      uid >= DEFAULT_UID_POOL.first && uid < DEFAULT_UID_POOL.first + 2 * DEFAULT_UID_POOL.count;
    return (isOfPool || name.startsWith('codejail-launch')) && !isForeignZombie(process_);
  } catch {
    return false;
  }
}

function children(): string[] {
  return list('/proc/self/task').flatMap((task) =>
    read(`/proc/self/task/${task}/children`).trim().split(' ').filter(Boolean),
  );
}

// Only kinds that a jail uses: Node opens epolls, eventfds and files of its own when it likes.
function descriptors(): string[] {
  return list('/proc/self/fd').flatMap((number) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${number}`);
      return /^(pipe:|socket:|anon_inode:(\[pidfd\]|seccomp notify)|\/memfd:codejail|\/run\/codejail)/.test(
        target,
      )
        ? [target]
        : [];
    } catch {
      return [];
    }
  });
}

// As /proc/locks names a file: the numbers of its file system and its own.
function lockName(path: string): string {
  const { dev, ino } = lstatSync(path);
  const hex = (part: number): string => part.toString(16).padStart(2, '0');
  const major = Math.floor(dev / 256) % 4096;
  const minor = (dev % 256) + Math.floor(dev / 1_048_576) * 256;
  return `${hex(major)}:${hex(minor)}:${ino}`;
}

// Each is a lock on one byte of a file (fcntl(2), "Open file description locks").
function leases(): string[] {
  const files = new Set(list('/run/codejail').map((name) => lockName(`/run/codejail/${name}`)));
  return read('/proc/locks')
    .split('\n')
    .map((line) => /OFDLCK .* ([\da-f]+:[\da-f]+:\d+) (\d+) \d+$/.exec(line))
    .flatMap((found) => (found !== null && files.has(found[1] ?? '') ? [found[2] ?? ''] : []));
}

/** Those of jails. A server's own stays as long as the server. */
function jailCgroups(): string[] {
  const own = /^0::(.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? '/';
  const places = new Set([
    '/sys/fs/cgroup',
    `/sys/fs/cgroup${own}`,
    dirname(`/sys/fs/cgroup${own}`),
  ]);
  return [...places].flatMap((place) =>
    list(place)
      .filter((name) => /^codejail-[A-Za-z0-9]{8}$/.test(name))
      .flatMap((name) => list(join(place, name)).map((jail) => `${place}/${name}/${jail}`))
      .filter((path) => basename(path).startsWith('jail-')),
  );
}

/** Looks now. */
export function traces(): Traces {
  return {
    processes: list('/proc').filter((name) => /^\d+$/.test(name) && isJailed(name)),
    children: children(),
    mounts: read('/proc/self/mountinfo').split('\n'),
    directories: list('/tmp').filter((name) => name.startsWith('codejail-')),
    descriptors: descriptors(),
    leases: leases(),
    cgroups: jailCgroups(),
  };
}

/** What is there now and was not before. */
export function leftovers(before: Traces): Partial<Traces> {
  const now = traces();
  const found: Partial<Traces> = {};
  for (const kind of Object.keys(now) as (keyof Traces)[]) {
    const known = new Set(before[kind]);
    const added = now[kind].filter((name) => !known.has(name));
    if (added.length > 0) {
      found[kind] = added;
    }
  }
  return found;
}

const PATIENCE_MS = 3000;

/** Waits for what the kernel frees a moment later; then returns what is left. */
export async function settledLeftovers(before: Traces): Promise<Partial<Traces>> {
  const until = Date.now() + PATIENCE_MS;
  let found = leftovers(before);
  while (Object.keys(found).length > 0 && Date.now() < until) {
    await sleep(50);
    found = leftovers(before);
  }
  return found;
}

/** Makes each test of the calling suite fail that leaves something on the host. */
export function watchLeftovers(): void {
  let before: Traces;
  beforeEach(() => {
    before = traces();
  });
  afterEach(async () => {
    expect(await settledLeftovers(before)).toEqual({});
  });
}
