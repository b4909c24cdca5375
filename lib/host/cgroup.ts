// The server's own part of the cgroup v2 tree: made at the first use, with a leaf for each jail below it.
import { constants } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoName } from '../text/errno';
import { native } from '../native/addon';
import { Backoff } from '../time/backoff';
import { CONTROLLERS, findDelegation, SERVER_LEAF, type Delegation } from './delegation';
import { JAIL_NAME, newJailName } from './jail-name';

/** Where jails' cgroups come from: found by itself, none, or below the cgroup of a path. */
export type CgroupWish = 'auto' | false | `/${string}`;

/** The cgroup below which each jail has one of its own; or why there is none, and what to do about it. */
export type CgroupState =
  | {
      /** The path of the cgroup. */
      directory: string;
    }
  | {
      /** There is none. */
      directory: null;
      /** Why there is none, in words. */
      why: string;
      /** What to do, as a command where there is one. */
      cure: string;
    };

const ENABLE = CONTROLLERS.map((name) => `+${name}`).join(' ');
// All jails together, where their server has 100, as each cgroup has by default (cgroup-v2.rst, "cpu.weight").
const JAILS_WEIGHT = '10';
const PATIENCE_MS = 2000;
const LOCK_TRIES = 3;

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

/**
 * Jails weigh less than their server, and each as much as another, whatever it starts. No guarantee depends on it: without
 * the controller their nice value has them weigh less.
 */
async function weighLess(base: string, directory: string): Promise<void> {
  try {
    await control(base, 'cgroup.subtree_control', '+cpu');
    await control(directory, 'cpu.weight', JAILS_WEIGHT);
    await control(directory, 'cgroup.subtree_control', '+cpu');
  } catch {
    // Not delegated, or this kernel's is of version 1.
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
    const owner = await stat(directory).catch(() => undefined);
    if (owner?.uid !== process.geteuid?.() || addon.lockCgroup(directory) !== 0) {
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

/** A new cgroup that this process holds the lock on. */
async function makeLocked(base: string): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const directory = join(base, newJailName());
    // Nobody else may lock it, or see the names of jails.
    await mkdir(directory, { mode: 0o700 });
    const errno = native().addon.lockCgroup(directory);
    if (errno === 0) {
      return directory;
    }
    // A sweep of another server's may have been faster, and have removed it.
    await rmdir(directory).catch(() => undefined);
    if (tries === LOCK_TRIES) {
      throw new Error(`${directory} could not be locked (${errnoName(errno)})`);
    }
  }
}

async function makeDirectory(base: string): Promise<string> {
  const directory = await makeLocked(base);
  try {
    await enable(directory);
    // For all jails below it; a kernel without swap has no such file.
    await control(directory, 'memory.swap.max', '0').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw error;
      }
    });
    // cgroup.kill came with Linux 5.14, as the oldest kernel that this package takes.
    await stat(join(directory, 'cgroup.kill'));
    await weighLess(base, directory);
    return directory;
  } catch (error) {
    // The next attempt makes another one.
    await rmdir(directory).catch(() => undefined);
    native().addon.unlockCgroup(directory);
    throw error;
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
  return { directory: await makeDirectory(base) };
}

async function prepare(wish: string): Promise<CgroupState> {
  const path = wish === 'auto' ? wish : await realpath(wish).catch(() => wish);
  let place = 'the cgroup tree';
  try {
    const delegation = findDelegation(path);
    if (delegation.base === undefined) {
      return { directory: null, why: delegation.why, cure: delegation.cure };
    }
    place = delegation.base;
    return await make(delegation);
  } catch (error) {
    return {
      directory: null,
      why: `${place} can't be divided: ${(error as Error).message}`,
      cure: 'delegate a cgroup to this server, or do without: createJail({ cgroup: false })',
    };
  }
}

const made = new Map<string, Promise<CgroupState>>();
const backoff = new Backoff();
let absence: CgroupState | undefined;

async function attempt(wish: string): Promise<CgroupState> {
  const state = await prepare(wish);
  if (state.directory === null) {
    made.delete(wish);
    if (wish === 'auto') {
      absence = state;
      backoff.onFailure();
    }
  }
  return state;
}

/**
 * Makes the server's own cgroup, once in this process for each wish. Where there is none it is looked for again, since
 * that may be cured: one that was named at each call; `auto` after a pause, since calls go on without.
 */
export async function serverCgroup(wish: CgroupWish): Promise<CgroupState> {
  if (wish === false) {
    return {
      directory: null,
      why: 'cgroups were switched off',
      cure: "leave `cgroup` out of createJail's options",
    };
  }
  if (wish === 'auto' && absence !== undefined && !backoff.isDue()) {
    return absence;
  }
  const known = made.get(wish) ?? attempt(wish);
  made.set(wish, known);
  return known;
}
