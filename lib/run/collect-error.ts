import { JailError, nameClass } from '../errors';
import { errnoDetails, errnoName, reasonsOf } from '../text/errno';
import { printable } from '../text/printable';
import type { JailResult } from './result';

const COLLECT_CURES: Readonly<Record<string, string>> = {
  EMFILE:
    'this process may have no more open files: raise `ulimit -n` (LimitNOFILE= under systemd), or run fewer calls at once',
  ENFILE: 'the host has no more open files: raise the sysctl fs.file-max',
  ENOMEM: 'there is no memory for them: lower the limit `output`, or run fewer calls at once',
};

/**
 * The program has ended, and the host had no means to bring back what it left: the call may be made again. What the
 * program itself made impossible is told by `uncollected` of a result instead.
 * @example
 * import { CollectError, jailCode } from 'codejail';
 *
 * try {
 *   await jailCode('python', { code: 'open("a.txt", "w").write("1")', collect: ['a.txt'] });
 * } catch (error) {
 *   if (!(error instanceof CollectError)) throw error;
 *   console.error(error.errnoName, error.result.stdout.toString()); // what it printed is not lost
 * }
 */
export class CollectError extends JailError {
  /** Always `collect files`. */
  declare readonly step: string;
  /** What the program gave otherwise; nothing is collected. */
  declare readonly result: JailResult;

  /**
   * @param errno the kernel's error number, positive; 0 where no system call failed
   * @param result what the program gave otherwise
   * @param details the system call, and the path below `tmp`
   */
  constructor(
    errno: number,
    result: JailResult,
    details: { syscall?: string | undefined; detail?: string | undefined; cause?: unknown } = {},
  ) {
    const reasons = reasonsOf(errno, details);
    const cure = COLLECT_CURES[errnoName(errno)];
    super(
      'ERR_CODEJAIL_COLLECT',
      `the program has ended, and what it left could not be collected: step "collect files" failed (${printable(reasons.join('; '))})` +
        (cure === undefined ? '' : `; ${cure}`),
      {
        step: 'collect files',
        ...errnoDetails(errno),
        syscall: details.syscall,
        cause: details.cause,
      },
    );
    // Not enumerable: a log of this error shows the message, not megabytes of output.
    Object.defineProperty(this, 'result', { value: result });
  }
}

nameClass(CollectError, 'CollectError');
