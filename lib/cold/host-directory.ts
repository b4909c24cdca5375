// Jail directories on the host, where there is no mount namespace to make them vanish.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UidPool } from '../confinement/plan';
import { describeErrno } from '../text/errno';
import { JAIL_NAME } from '../host/jail-name';
import { leaseDirectory } from '../host/lease-directory';
import { native, type NativeFailure } from '../native/addon';
import { isPassing } from '../passing';
import { printable } from '../text/printable';
import { Backoff } from '../time/backoff';

const PARENT = '/tmp';

// A host that lacks descriptors or memory does so for a moment, as a rule.
const PAUSE_MS = 100;

async function removeTwice(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch {
    await sleep(PAUSE_MS);
    await remove();
  }
}

async function removeOrWarn(
  directory: string,
  remove: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await removeTwice(remove);
    return undefined;
  } catch (cause) {
    const { errno = 0, syscall = '' } = cause as Partial<NativeFailure>;
    const left =
      `the directory ${directory} of a program that has ended can't be removed and is left ` +
      `(${describeErrno(errno)}; in ${syscall})`;
    process.emitWarning(printable(left), 'CodeJailWarning');
    for (const each of sweeps.values()) {
      each.tryAgain();
    }
    return left;
  }
}

/**
 * Removes a jail's directory. Its program is dead: nothing in it changes any more. Where something of it stays, this
 * process warns of it, and a later call removes it.
 * @returns what stays and why, for the operator; undefined where nothing does
 */
export async function removeHostDirectory(directory: string): Promise<string | undefined> {
  return removeOrWarn(directory, async () => native().addon.removeTree(directory));
}

function isOfPool({ first, count }: UidPool, gid: number): boolean {
  return gid >= first && gid < first + count;
}

function mayBeStale(directory: string, pool: UidPool): boolean {
  try {
    const own = lstatSync(directory);
    if (!own.isDirectory() || own.uid !== process.geteuid?.()) {
      return false;
    }
    // Its group has the number of the uid that was leased for it; the lease ends with the jail. So has the owner of its
    // tmp, if that is still there: the server may have been killed when it had removed it. Another pool's leases may be
    // locked elsewhere: a container that shares /tmp has a /run of its own.
    const tmp = lstatSync(join(directory, 'tmp'), { throwIfNoEntry: false });
    return (
      isOfPool(pool, own.gid) &&
      (tmp === undefined || tmp.uid === own.gid) &&
      native().addon.uidIsFree(leaseDirectory(), own.gid)
    );
  } catch (error) {
    if (isPassing(error)) throw error;
    return false;
  }
}

/** What has been swept of a pool's in this process. */
class Sweep {
  readonly #pool: UidPool;
  readonly #backoff = new Backoff();
  #swept: Promise<void> | undefined;

  constructor(pool: UidPool) {
    this.#pool = pool;
  }

  async once(): Promise<void> {
    if (!this.#backoff.isDue()) {
      return;
    }
    this.#swept ??= this.#sweep().catch(() => {
      this.#swept = undefined;
    });
    await this.#swept;
  }

  /** After a pause: something has stayed. */
  tryAgain(): void {
    this.#backoff.onFailure();
    this.#swept = undefined;
  }

  async #sweep(): Promise<void> {
    const stale = readdirSync(PARENT)
      .filter((name) => JAIL_NAME.test(name))
      .map((name) => join(PARENT, name))
      .filter((directory) => mayBeStale(directory, this.#pool));
    // Another server may still have one; then it stays.
    await Promise.all(
      stale.map(async (directory) =>
        removeOrWarn(directory, async () => native().addon.removeUnlockedTree(directory)),
      ),
    );
  }
}

const sweeps = new Map<string, Sweep>();

/**
 * Removes, once in this process, what servers with this pool that were killed have left. Nobody's call fails for what
 * can't be removed: it is told as a warning, and tried again after a pause.
 */
export async function sweepHostDirectories(pool: UidPool): Promise<void> {
  const key = `${pool.first}:${pool.count}`;
  const sweep = sweeps.get(key) ?? new Sweep(pool);
  sweeps.set(key, sweep);
  await sweep.once();
}
