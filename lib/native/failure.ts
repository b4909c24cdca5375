// What failed in the native half, as the errors that callers know.
import { SetupError } from '../errors';
import type { NativeFailure } from './addon';

/** What the addon threw, as the error that callers know. */
export function thrownByAddon(cause: unknown): SetupError {
  const { step, errno, syscall, detail, message } = cause as Error & Partial<NativeFailure>;
  return new SetupError(step ?? 'make the pipes', errno ?? 0, {
    syscall,
    detail: step === undefined ? message : detail,
    cause,
  });
}

/** A failed step of the native half, as an error. */
export function setupError(failure: NativeFailure, hasStarted = false): SetupError {
  return new SetupError(failure.step, failure.errno, {
    syscall: failure.syscall,
    detail: failure.detail,
    hasStarted,
  });
}
