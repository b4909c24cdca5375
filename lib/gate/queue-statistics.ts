// What a gate has done, counted.
import type { BusyReason } from './busy-error';
import { now } from '../time/clock';
import { Histogram, type DurationHistogram } from '../time/histogram';
import type { TenantShare } from './fair-queue';

/** What waits at a jail's gate, and has waited. */
export interface QueueStatistics {
  /** Calls that have been let in and have not ended. */
  running: number;
  /** Calls that wait for their turn. */
  waiting: number;
  /** How many calls run at a time, at most. */
  maxRunning: number;
  /** How many calls may wait. */
  maxQueue: number;
  /** How many milliseconds each may wait. 0: as long as it takes. */
  maxWaitMs: number;
  /** All jails of this process, or of this worker thread, together. */
  process: {
    /** Calls that run. */
    running: number;
    /** How many run at a time, at most. */
    maxRunning: number;
  };
  /** How many milliseconds the call has waited that waits longest. */
  longestWaitMs: number;
  /** How many tenants have calls waiting; calls without one count as one more. */
  tenants: number;
  /** Those of whom most calls wait, at most ten. */
  busiestTenants: TenantShare[];
  /** How long the calls waited that had to wait and had their turn. */
  waits: DurationHistogram;
  /** Calls that were refused with `BusyError`, by its `reason`. */
  refused: Record<BusyReason, number>;
  /** Calls that stopped waiting: aborted, or their jail was closed. */
  abandoned: number;
}

/** What happens at a gate. */
export interface QueueEvent {
  /**
   * A call has to wait; one that waited begins; one is refused with `BusyError`, at once or after it waited; one stops
   * waiting, since it is aborted or its jail closed.
   */
  type: 'waits' | 'begins' | 'refused' | 'leaves';
  /** The call's option `tenant`; null: it has none. */
  tenant: string | null;
  /** How many milliseconds this call has waited. */
  waitedMs: number;
  /** How many calls of the jail run now. */
  running: number;
  /** How many calls of the jail wait now. */
  waiting: number;
}

const LATEST_SHARE = 0.1;

/** Counts what happens at a gate, and measures how fast calls end while others wait. */
export class QueueCounts {
  readonly #waits = new Histogram();
  readonly #refused: Record<BusyReason, number> = { 'queue-full': 0, 'waited-too-long': 0 };
  #abandoned = 0;
  // Undefined while nobody waits.
  #lastEndAt: number | undefined;
  #intervalMs: number | undefined;

  begins(waitedMs: number): void {
    this.#waits.record(waitedMs);
  }

  refused(reason: BusyReason): void {
    this.#refused[reason] += 1;
  }

  abandoned(): void {
    this.#abandoned += 1;
  }

  /** A call has ended, and others wait or not. */
  left(othersWait: boolean): void {
    if (!othersWait) {
      this.#lastEndAt = undefined;
      return;
    }
    const endedAt = now();
    if (this.#lastEndAt !== undefined) {
      const intervalMs = endedAt - this.#lastEndAt;
      this.#intervalMs ??= intervalMs;
      this.#intervalMs += LATEST_SHARE * (intervalMs - this.#intervalMs);
    }
    this.#lastEndAt = endedAt;
  }

  /**
   * In how many milliseconds all that wait will have had their turn, at the pace of late; null where no two calls have
   * ended yet while others waited.
   */
  retryAfterMs(waiting: number): number | null {
    return this.#intervalMs === undefined ? null : Math.ceil((waiting + 1) * this.#intervalMs);
  }

  read(): Pick<QueueStatistics, 'waits' | 'refused' | 'abandoned'> {
    return {
      waits: this.#waits.read(),
      refused: { ...this.#refused },
      abandoned: this.#abandoned,
    };
  }
}
