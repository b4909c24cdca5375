// Processes of this host, as /proc shows them.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A field of a process's status; undefined where it has ended. */
export function statusField(process: string, name: string): string | undefined {
  try {
    const status = readFileSync(`/proc/${process}/status`, 'latin1');
    return new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a process is this one or descends from it. */
export function isOurs(child: string): boolean {
  for (let at: string | undefined = child; at !== undefined; at = statusField(at, 'PPid')) {
    if (Number(at) === process.pid) {
      return true;
    }
  }
  return false;
}

/** Whether a process goes within two seconds, its zombie too. */
export async function gone(process: string): Promise<boolean> {
  for (let look = 0; look < 200; look += 1) {
    if (statusField(process, 'Name') === undefined) {
      return true;
    }
    await sleep(10);
  }
  return false;
}

/** A process's nice value; NaN where it has ended. */
export function nice(process: string): number {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
    // proc(5): the name, in parentheses, may have spaces; nice is the nineteenth field, the seventeenth after it.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  } catch {
    return Number.NaN;
  }
}

/** The scheduler's group of a process and the group's weight, as a nice value; empty where the kernel has none. */
export function autogroup(process: string): string {
  try {
    return readFileSync(`/proc/${process}/autogroup`, 'latin1').trim();
  } catch {
    return '';
  }
}
