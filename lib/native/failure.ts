// What failed in the native half, as the errors that callers know.
import { SetupError } from '../errors';
import type { NativeFailure } from './addon';
import { stepOf } from './steps';

/** What the addon threw, as the error that callers know. */
export function thrownByAddon(cause: unknown): SetupError {
  const { step, stepNumber, errno, syscall, detail, message } = cause as Error &
    Partial<NativeFailure>;
  return new SetupError(step ?? 'make the pipes', errno ?? 0, {
    stepId: stepOf(stepNumber),
    syscall,
    detail: step === undefined ? message : detail,
    cause,
  });
}

/** A failed step of the native half, as an error. */
export function setupError(failure: NativeFailure, hasStarted = false): SetupError {
  return new SetupError(failure.step, failure.errno, {
    stepId: stepOf(failure.stepNumber),
    syscall: failure.syscall,
    detail: failure.detail,
    hasStarted,
  });
}
