// Whether an error tells of what was looked at, or of what this process and its host lack at the moment.
import { JailError, SetupError } from './errors';

// What the kernel says of a path itself (path_resolution(7), open(2)): as true at the next call.
const OF_THE_PATH: readonly unknown[] = [
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'ENXIO',
  'ENODEV',
  'EROFS',
];

/** Whether a system call failed, and for a reason that may be gone at the next call: `EMFILE`, `ENOMEM`, `EIO`. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof JailError) {
    return false;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  return code !== undefined && syscall !== undefined && !OF_THE_PATH.includes(code);
}

/**
 * For what an argument names and could not be looked at: who called is not to blame for what passes.
 * @param step what was being done: `look at the files`
 * @throws SetupError where the error is a passing one; else nothing
 */
export function throwIfPassing(error: unknown, step: string): void {
  if (isPassing(error)) {
    const { errno, syscall, path, message } = error as NodeJS.ErrnoException;
    throw new SetupError(step, -(errno ?? 0), { syscall, detail: path ?? message, cause: error });
  }
}
