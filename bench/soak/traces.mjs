// What calls leave: on the host, and in this process.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 10_000;

function list(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path) {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

const numbers = (path) => list(path).filter((name) => /^\d+$/.test(name));

/** The parent of a process, and whether it is dead and waits to be reaped. */
function statOf(process_) {
  const [, state, parent] = /\) ([A-Z]) (\d+) /.exec(read(`/proc/${process_}/stat`)) ?? [];
  return { isZombie: state === 'Z', parent: Number(parent) };
}

/** Of a jail: by its uid, its name, or its namespace. The orphan of a killed server, dead, is its init's to reap. */
function isJailed(process_, pools) {
  try {
    const { uid } = statSync(`/proc/${process_}`);
    const { isZombie, parent } = statOf(process_);
    if (isZombie && parent !== process.pid) {
      return false;
    }
    const namespace = link(`/proc/${process_}/ns/pid`);
    return (
      pools.some((pool) => isOf(pool, uid)) ||
      read(`/proc/${process_}/comm`).startsWith('codejail-launch') ||
      (uid === process.getuid() && namespace !== '' && namespace !== link('/proc/self/ns/pid'))
    );
  } catch {
    return false;
  }
}

const isOf = ({ first, count }, uid) => uid >= first && uid < first + 2 * count;

/** What is there now, by kind. */
export function traces(pools) {
  const mounts = read('/proc/self/mountinfo').split('\n');
  return {
    processes: numbers('/proc').filter((process_) => isJailed(process_, pools)),
    directories: list('/tmp').filter((name) => /^codejail-[A-Za-z0-9]{8}$/.test(name)),
    mounts: mounts.filter((line) => line.includes('codejail')),
    cgroups: list('/sys/fs/cgroup').filter((name) => /^codejail-[A-Za-z0-9]{8}$/.test(name)),
  };
}

/** The processes with a uid of this pool that do not go within a few seconds. */
export async function leftOf(pool) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const left = numbers('/proc').filter((process_) => {
      try {
        return isOf(pool, statSync(`/proc/${process_}`).uid) && !statOf(process_).isZombie;
      } catch {
        return false;
      }
    });
    if (left.length === 0 || Date.now() > until) {
      return left;
    }
    await sleep(50);
  }
}

/** What has come since and does not go within a few seconds: `kind name`. */
export async function leftSince(before, pools) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = traces(pools);
    const left = Object.keys(now).flatMap((kind) =>
      now[kind].filter((name) => !before[kind].includes(name)).map((name) => `${kind} ${name}`),
    );
    if (left.length === 0 || Date.now() > until) {
      return left;
    }
    await sleep(100);
  }
}

/** How many descriptors of this process are of kinds that jails use. */
export function descriptorCount() {
  const kinds =
    /^(pipe:|socket:|anon_inode:(\[pidfd\]|\[eventfd\]|\[timerfd\]|seccomp notify)|\/memfd:codejail)/;
  return numbers('/proc/self/fd').filter((number) => kinds.test(link(`/proc/self/fd/${number}`)))
    .length;
}

/** The templates of this process: each a Python whose parent is a launcher that is our child. */
export function templates() {
  return numbers('/proc').filter((process_) => {
    const { parent } = statOf(process_);
    return (
      parent > 0 &&
      statOf(parent).parent === process.pid &&
      read(`/proc/${process_}/cmdline`).includes('template')
    );
  });
}
