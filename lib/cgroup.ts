// The server's own part of the cgroup v2 tree: made at the first use, with a leaf for each jail below it.
import { constants } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROLLERS, findDelegation, SERVER_LEAF, type Delegation } from './delegation';
import { JAIL_NAME, newJailName } from './jail-name';
import { native } from './native';

/** Where jails' cgroups come from: found by itself, none, or below the cgroup of a path. */
export type CgroupWish = 'auto' | false | `/${string}`;

/** The cgroup below which each jail has one of its own; or why there is none, and what to do about it. */
export type CgroupState = { directory: string } | { directory: null; why: string; cure: string };

const ENABLE = CONTROLLERS.map((name) => `+${name}`).join(' ');
const PATIENCE_MS = 2000;

async function control(cgroup: string, file: string, value: string): Promise<void> {
  // cgroup.kill can't be opened for reading, and no file is to be made where the kernel has none.
  await writeFile(join(cgroup, file), value, { flag: constants.O_WRONLY });
}

async function enable(cgroup: string): Promise<void> {
  const enabled = (await readFile(join(cgroup, 'cgroup.subtree_control'), 'utf8')).split(/\s+/);
  if (!CONTROLLERS.every((name) => enabled.includes(name))) {
    await control(cgroup, 'cgroup.subtree_control', ENABLE);
  }
}

async function removeTree(cgroup: string): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const children = await readdir(cgroup, { withFileTypes: true });
      for (const child of children.filter((entry) => entry.isDirectory())) {
        await removeTree(join(cgroup, child.name));
      }
      await rmdir(cgroup);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code !== 'EBUSY' || Date.now() > until) {
        return;
      }
      // Killed processes need a moment to die.
      await sleep(10);
    }
  }
}

/** Ends and removes what servers that were killed have left. A live server holds the lock on its own. */
async function sweep(base: string): Promise<void> {
  const { addon } = native();
  for (const name of (await readdir(base)).filter((entry) => JAIL_NAME.test(entry))) {
    const directory = join(base, name);
    const owner = await stat(directory).catch(() => null);
    if (owner?.uid !== process.geteuid?.() || !addon.lockCgroup(directory)) {
      continue;
    }
    try {
      await control(directory, 'cgroup.kill', '1');
      await removeTree(directory);
    } catch {
      // Another server sweeps it at the same time, or it is left for the next.
    } finally {
      addon.unlockCgroup(directory);
    }
  }
}

/** The server itself may not stay where its jails' controllers are enabled. */
async function leave(base: string): Promise<void> {
  const leaf = join(base, SERVER_LEAF);
  await mkdir(leaf, { recursive: true });
  await control(leaf, 'cgroup.procs', String(process.pid));
  try {
    await enable(base);
  } catch (error) {
    // Another process has come meanwhile.
    await control(base, 'cgroup.procs', String(process.pid));
    throw error;
  }
}

async function makeDirectory(base: string): Promise<string> {
  for (;;) {
    const directory = join(base, newJailName());
    // Nobody else may lock it, or see the names of jails.
    await mkdir(directory, { mode: 0o700 });
    // A sweep of another server's may have been faster.
    if (!native().addon.lockCgroup(directory)) {
      continue;
    }
    await enable(directory);
    // For all jails below it; a kernel without swap has no such file.
    await control(directory, 'memory.swap.max', '0').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw error;
      }
    });
    return directory;
  }
}

async function make({
  base,
  holdsServer,
}: Extract<Delegation, { base: string }>): Promise<CgroupState> {
  if (holdsServer) {
    await leave(base);
  } else {
    await enable(base);
  }
  await sweep(base);
  const directory = await makeDirectory(base);
  // cgroup.kill came with Linux 5.14, as the oldest kernel that this package takes.
  await stat(join(directory, 'cgroup.kill'));
  return { directory };
}

const made = new Map<CgroupWish, Promise<CgroupState>>();

async function prepare(wish: string): Promise<CgroupState> {
  const path = wish === 'auto' ? wish : await realpath(wish).catch(() => wish);
  const delegation = findDelegation(path);
  if (delegation.base === null) {
    return { directory: null, why: delegation.why, cure: delegation.cure };
  }
  try {
    return await make(delegation);
  } catch (error) {
    return {
      directory: null,
      why: `${delegation.base} can't be divided: ${(error as Error).message}`,
      cure: 'delegate a cgroup to this server, or do without: createJail({ cgroup: false })',
    };
  }
}

/** Makes the server's own cgroup, once in this process for each wish. */
export async function serverCgroup(wish: CgroupWish): Promise<CgroupState> {
  if (wish === false) {
    return {
      directory: null,
      why: 'cgroups were switched off',
      cure: "leave `cgroup` out of createJail's options",
    };
  }
  const known = made.get(wish) ?? prepare(wish);
  made.set(wish, known);
  return known;
}
