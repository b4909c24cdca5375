import { JailError } from '../errors';
import type { JailResult } from '../run/result';

/** What a Python program raised. */
export interface PythonException {
  /** The exception's class: `ZeroDivisionError`. */
  type: string;
  /** The module of that class: `numpy.linalg`; null for Python's own and the program's. */
  module: string | null;
  message: string;
  /** The line of the user's code, counted from 1, or null when no line of it was running. */
  line: number | null;
  /** The traceback as Python prints it. */
  traceback: string;
}

/** A program of safeExec failed. The globals that were passed are as they were. */
export class SafeExecError extends JailError {
  declare readonly result: JailResult;
  /** What the program raised, or null when it ended in another way. */
  declare readonly exception: PythonException | null;

  constructor(message: string, result: JailResult, exception: PythonException | null) {
    super('ERR_CODEJAIL_EXEC', message);
    // Not enumerable: a log of this error shows the message, not megabytes of output.
    Object.defineProperty(this, 'result', { value: result });
    Object.defineProperty(this, 'exception', { value: exception, enumerable: true });
  }
}

Object.defineProperty(SafeExecError.prototype, 'name', {
  value: 'SafeExecError',
  configurable: true,
  writable: true,
});
