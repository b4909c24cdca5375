// Jail directories on the host, where there is no mount namespace to make them vanish.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeErrno } from './errors';
import { leaseDirectory } from './host';
import { JAIL_NAME } from './jail-name';
import { native, type NativeFailure } from './native';
import { Retries } from './retries';

const PARENT = '/tmp';

/**
 * Removes a jail's directory. Its program is dead: nothing in it changes any more.
 * @throws Error where something of it stays; its message is for the operator
 */
export async function removeHostDirectory(directory: string): Promise<void> {
  try {
    await native().addon.removeTree(directory);
  } catch (cause) {
    const { errno = 0, syscall = '' } = cause as Partial<NativeFailure>;
    throw new Error(
      `the directory ${directory} of a program that has ended can't be removed and is left ` +
        `(${describeErrno(errno)}; in ${syscall})`,
      { cause },
    );
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
  } catch {
    return false;
  }
}

const retries = new Retries();
let swept: Promise<void> | undefined;

async function sweep(): Promise<void> {
  const stale = readdirSync(PARENT)
    .filter((name) => JAIL_NAME.test(name))
    .map((name) => join(PARENT, name))
    .filter(isStale);
  const removals = await Promise.allSettled(stale.map(removeHostDirectory));
  const failed = removals.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  for (const { reason } of failed) {
    process.emitWarning((reason as Error).message, 'CodeJailWarning');
  }
  if (failed.length > 0) {
    retries.onFailure();
    swept = undefined;
  }
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
