import { JailError, nameClass } from '../errors';
import { explainExceeded } from '../run/exceeded';
import type { JailResult } from '../run/result';
import { bytesRepr } from '../text/bytes-repr';

/** What a Python program raised. */
export interface PythonException {
  /** The exception's class: `ZeroDivisionError`. */
  type: string;
  /** The module of that class: `numpy.linalg`; null for Python's own and the program's. */
  module: string | null;
  /** What `str()` gives of it; it may be empty. */
  message: string;
  /** The line of the user's code, counted from 1, or null when no line of it was running. */
  line: number | null;
  /** The traceback as Python prints it. */
  traceback: string;
}

/**
 * A program of safeExec failed. The globals that were passed are as they were.
 * @example
 * import { safeExec, SafeExecError } from 'codejail';
 *
 * try {
 *   await safeExec('1 / 0', {});
 * } catch (error) {
 *   if (!(error instanceof SafeExecError)) throw error;
 *   console.log(error.exception?.type ?? error.reason ?? error.message); // ZeroDivisionError
 * }
 */
export class SafeExecError extends JailError {
  /** CodeJail's text, word for word (`codejailMessage`), unless the program ended without a result that can be read. */
  declare readonly message: string;
  /** What the run gave otherwise: output, status, usage. Not enumerable, so that a log has no megabytes. */
  declare readonly result: JailResult;
  /** What the program raised, or null when it ended in another way. */
  declare readonly exception: PythonException | null;
  /** The limit that ended it, as in `result`, or null. */
  declare readonly exceeded: JailResult['exceeded'];
  /** The same in words, `it ran longer than 5 s (the limit realtime)`, or null. */
  declare readonly reason: string | null;

  constructor(message: string, result: JailResult, exception: PythonException | null) {
    super('ERR_CODEJAIL_EXEC', message);
    const { exceeded } = result;
    // Not enumerable: a log of this error shows the message, not megabytes of output.
    Object.defineProperty(this, 'result', { value: result });
    Object.defineProperty(this, 'exception', { value: exception, enumerable: true });
    Object.defineProperty(this, 'exceeded', { value: exceeded, enumerable: true });
    Object.defineProperty(this, 'reason', {
      value: exceeded === null ? null : explainExceeded(exceeded),
      enumerable: true,
    });
  }
}

nameClass(SafeExecError, 'SafeExecError');

/**
 * The message of CodeJail's SafeExecException, word for word, which its users match on: `Couldn't execute jailed code:
 * stdout: b'', stderr: b'…' with status code: 1`. For services that pass it on.
 * @param result of `jailCode`, of `safeExec`, or of a `SafeExecError`
 * @example
 * import { codejailMessage, jailCode } from 'codejail';
 *
 * const result = await jailCode('python', { code: 'print(1); raise SystemExit(2)' });
 * console.log(codejailMessage(result)); // Couldn't execute jailed code: stdout: b'1\n', stderr: b'' with status code: 2
 */
export function codejailMessage(result: Pick<JailResult, 'stdout' | 'stderr' | 'status'>): string {
  return `Couldn't execute jailed code: stdout: ${bytesRepr(result.stdout)}, stderr: ${bytesRepr(result.stderr)} with status code: ${result.status}`;
}
