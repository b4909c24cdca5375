// Jail directories on the host, where there is no mount namespace to make them vanish.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeErrno } from './errors';
import { leaseDirectory } from './host';
import { JAIL_NAME } from './jail-name';
import { native, type NativeFailure } from './native';
import { isPassing } from './passing';
import { Retries } from './retries';

const PARENT = '/tmp';

const retries = new Retries();
let swept: Promise<void> | undefined;

// A host that lacks descriptors or memory does so for a moment, as a rule.
const PAUSE_MS = 100;

async function removeTwice(directory: string): Promise<void> {
  const { addon } = native();
  try {
    await addon.removeTree(directory);
  } catch {
    await sleep(PAUSE_MS);
    await addon.removeTree(directory);
  }
}

/**
 * Removes a jail's directory. Its program is dead: nothing in it changes any more. Where something of it stays, this
 * process warns of it, and a later call removes it.
 * @returns what stays and why, for the operator; null where nothing does
 */
export async function removeHostDirectory(directory: string): Promise<string | null> {
  try {
    await removeTwice(directory);
    return null;
  } catch (cause) {
    const { errno = 0, syscall = '' } = cause as Partial<NativeFailure>;
    const left =
      `the directory ${directory} of a program that has ended can't be removed and is left ` +
      `(${describeErrno(errno)}; in ${syscall})`;
    process.emitWarning(left, 'CodeJailWarning');
    retries.onFailure();
    swept = undefined;
    return left;
  }
}

function isStale(directory: string): boolean {
  try {
    const own = lstatSync(directory);
    if (!own.isDirectory() || own.uid !== process.geteuid?.()) {
      return false;
    }
    // Its group has the number of the uid that was leased for it; the lease ends with the jail. So has the owner of its
    // tmp, if that is still there: the server may have been killed when it had removed it.
    const tmp = lstatSync(join(directory, 'tmp'), { throwIfNoEntry: false });
    return (
      own.gid !== process.getegid?.() &&
      (tmp === undefined || tmp.uid === own.gid) &&
      native().addon.uidIsFree(leaseDirectory(), own.gid)
    );
  } catch (error) {
    if (isPassing(error)) throw error;
    return false;
  }
}

async function sweep(): Promise<void> {
  const stale = readdirSync(PARENT)
    .filter((name) => JAIL_NAME.test(name))
    .map((name) => join(PARENT, name))
    .filter(isStale);
  await Promise.all(stale.map(removeHostDirectory));
}

/**
 * Removes, once in this process, what servers that were killed have left. Nobody's call fails for what can't be removed:
 * it is told as a warning, and tried again after a pause.
 */
export async function sweepHostDirectories(): Promise<void> {
  if (!retries.isDue()) {
    return;
  }
  swept ??= sweep().catch(() => {
    swept = undefined;
  });
  await swept;
}
