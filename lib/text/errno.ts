// The kernel's error numbers, in words.
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** The kernel's name for an error number (`EPERM` for 1), or `errno 4711` where it has none. */
export function errnoName(errno: number): string {
  // libuv's table has one name for those of one number, and not all: no ENOLCK.
  const [other] = Object.entries(constants.errno).find(([, number]) => number === errno) ?? [];
  return getSystemErrorMap().get(-errno)?.[0] ?? other ?? `errno ${errno}`;
}

/** The same, with what it means: `EPERM, operation not permitted`. */
export function describeErrno(errno: number): string {
  const meaning = getSystemErrorMap().get(-errno)?.[1];
  return meaning === undefined ? errnoName(errno) : `${errnoName(errno)}, ${meaning}`;
}

/** Why something failed: what it worked on, what the kernel said, and in which system call; as far as that is known. */
export function reasonsOf(
  errno: number,
  { detail, syscall }: { detail?: string | undefined; syscall?: string | undefined },
): string[] {
  return [
    ...(detail === undefined || detail === '' ? [] : [detail]),
    ...(errno === 0 ? [] : [describeErrno(errno)]),
    ...(syscall === undefined ? [] : [`in ${syscall}`]),
  ];
}

/** The number and its name, as an error has them; neither where no system call failed. */
export function errnoDetails(errno: number): { errno?: number; errnoName?: string } {
  return errno === 0 ? {} : { errno, errnoName: errnoName(errno) };
}
