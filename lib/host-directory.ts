// Jail directories on the host, where there is no mount namespace to make them vanish.
import { lstatSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { leaseDirectory } from './host';
import { JAIL_NAME } from './jail-name';
import { native } from './native';

const PARENT = '/tmp';

/** Removes a jail's directory. Its program is dead: nothing in it changes any more. */
export async function removeHostDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 2 });
}

function isStale(directory: string): boolean {
  try {
    const own = lstatSync(directory);
    if (!own.isDirectory() || own.uid !== process.geteuid?.()) {
      return false;
    }
    // Its tmp belongs to the uid that was leased for it; the lease ends with the jail.
    const { uid } = lstatSync(join(directory, 'tmp'));
    return uid !== own.uid && native().addon.uidIsFree(leaseDirectory(), uid);
  } catch {
    return false;
  }
}

let swept: Promise<void> | undefined;

/** Removes, once in this process, what servers that were killed have left. */
export async function sweepHostDirectories(): Promise<void> {
  swept ??= (async () => {
    const stale = readdirSync(PARENT)
      .filter((name) => JAIL_NAME.test(name))
      .map((name) => join(PARENT, name))
      .filter(isStale);
    await Promise.all(stale.map(removeHostDirectory));
  })();
  await swept;
}
