// Mounts from which nothing can be executed.
import { readFileSync, realpathSync } from 'node:fs';
import { isWithin } from '../text/is-within';
import { unescapeMount } from '../text/mount-table';

/**
 * The mount point that a path is on, where nothing there can be executed; undefined elsewhere, and where that can't be
 * told.
 */
export function noExecMountOf(path: string): string | undefined {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return undefined;
  }
  let found: { point: string; options: string } | undefined;
  for (const line of table.split('\n')) {
    // proc_pid_mountinfo(5): the fifth field is the mount point, the sixth its options; the last one covers the others.
    const [, , , , escaped = '', options = ''] = line.split(' ');
    const point = unescapeMount(escaped);
    if (point !== '' && isWithin(path, point) && point.length >= (found?.point.length ?? 0)) {
      found = { point, options };
    }
  }
  return found?.options.split(',').includes('noexec') === true ? found.point : undefined;
}

/**
 * Why a file can't be executed, and the cure; undefined where that is not for a mount.
 * @param path its absolute path
 * @param otherwise what to do instead of allowing it: `install codejail elsewhere`
 */
export function noExecAdvice(path: string, otherwise: string): string | undefined {
  const point = noExecMountOf(realPath(path));
  return point === undefined
    ? undefined
    : `${path} is on ${point}, which is mounted noexec: ${otherwise}, or allow it there ` +
        `(mount -o remount,exec ${point})`;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
