import { JailError, nameClass } from '../errors';

/** Why a call was refused: as many wait as may, or it waited as long as it may. */
export type BusyReason = 'queue-full' | 'waited-too-long';

/** What a jail was busy with. */
export interface BusyDetails {
  /** Whether the queue was full, or the call has waited as long as it may. */
  reason: BusyReason;
  /** How many of the jail's calls ran. */
  running: number;
  /** How many others waited. */
  waiting: number;
  /** How many of the jail's calls run at a time, at most. */
  maxRunning: number;
  /** How many may wait. */
  maxQueue: number;
  /** How long this call has waited, in milliseconds. */
  waitedMs: number;
  /** In how many milliseconds those that wait will have had their turn; null where that is not known. */
  retryAfterMs: number | null;
}

/** Thousands may be refused in one turn of the event loop, and a stack takes seven times as long as all else of an error. */
function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  // Not where intrinsics are frozen.
  const isSet = Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    if (isSet) {
      Error.stackTraceLimit = limit;
    }
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * More calls were made than may run and wait: nothing was run. Its stack has no lines.
 * @example
 * import { BusyError, createJail } from 'codejail';
 *
 * const jail = createJail({ maxRunning: 1, maxQueue: 0 });
 * const first = jail.jailCode('python', { code: 'print(1)' });
 * const error = await jail.jailCode('python', { code: 'print(2)' }).catch((reason) => reason);
 * console.log(error instanceof BusyError && error.reason); // queue-full
 * await first;
 * await jail.close();
 */
export class BusyError extends JailError {
  /** `queue-full`: as many calls wait as may; `waited-too-long`: this one has waited for `maxWaitMs`. */
  declare readonly reason: BusyReason;
  /** How many of the jail's calls ran. */
  declare readonly running: number;
  /** How many others waited. */
  declare readonly waiting: number;
  /** How many of the jail's calls run at a time, at most. */
  declare readonly maxRunning: number;
  /** How many may wait. */
  declare readonly maxQueue: number;
  /** How long this call has waited, in milliseconds. */
  declare readonly waitedMs: number;
  /**
   * In how many milliseconds those that wait will have had their turn, by how fast calls ended of late; null where that is
   * not known yet. Fit for a Retry-After header.
   */
  declare readonly retryAfterMs: number | null;

  private constructor(message: string, details: BusyDetails) {
    super('ERR_CODEJAIL_BUSY', message);
    Object.assign(this, details);
  }

  /** @internal What happened, with what waits and what runs. */
  static of(details: BusyDetails): BusyError {
    const { reason, running, waiting, maxRunning, maxQueue, waitedMs, retryAfterMs } = details;
    const waited = `the call has waited for ${seconds(waitedMs)}`;
    const full = `as many calls wait as may, ${maxQueue} (maxQueue)`;
    const yielded = waitedMs > 0 ? `, and its place went to a tenant with fewer (${waited})` : '';
    const what =
      reason === 'queue-full' ? full + yielded : `${waited}, as long as it may (maxWaitMs)`;
    const when = retryAfterMs === null ? 'later' : `in ${seconds(retryAfterMs)}`;
    const message =
      `the jail is busy and nothing was run: ${what}; ${running} run, of at most ${maxRunning} (maxRunning), ` +
      `and ${waiting} wait. Try again ${when}, or see docs/capacity.md`;
    return withoutStack(() => new BusyError(message, details));
  }
}

nameClass(BusyError, 'BusyError');
