// What a jail has done, counted.
import type { QueueStatistics } from '../gate/queue-statistics';
import type { Outcome } from '../run/result';
import { Histogram, type DurationHistogram } from '../time/histogram';
import type { PoolStatistics } from '../warm/pool-statistics';
import type { ColdReason } from '../warm/rule';
import type { CallMessage, SessionMessage } from './diagnostics';

/** What one jail has done since it was made, and has now. A plain object: `JSON.stringify` takes it. */
export interface JailStatistics {
  /** Calls, and steps of sessions, that had their turn and have ended; unconfined ones are not counted. */
  calls: number;
  /** Those that had their turn and have not ended yet. */
  running: number;
  /** Of these, the ones that wait for a warm cell. Those that wait for their turn are in `queue`. */
  waiting: number;
  /** Calls that have ended and had a process of their own. */
  cold: number;
  /** Calls that have ended and ran in a waiting Python. */
  warm: number;
  /** Steps of sessions. */
  steps: number;
  /** Sessions that are open, were opened and were lost. */
  sessions: {
    /** Those that are open now. */
    open: number;
    /** All that were opened. */
    opened: number;
    /** Those that were lost. */
    lost: number;
  };
  /** Of the cold ones, how many for which reason. */
  whyCold: Partial<Record<ColdReason, number>>;
  /** How they ended. */
  outcomes: Partial<Record<Outcome | 'rejected', number>>;
  /** How long calls took from their turn to their end. */
  durations: {
    /** Of calls that had a process of their own. */
    cold: DurationHistogram;
    /** Of calls in a waiting Python. */
    warm: DurationHistogram;
    /** Of steps of sessions. */
    session: DurationHistogram;
  };
  /** What waits for its turn, has waited and was refused; unconfined calls included. */
  queue: QueueStatistics;
  /** The pool of each warm command, by the command's name. */
  pools: Record<string, PoolStatistics>;
}

function count<Key extends string>(counts: Partial<Record<Key, number>>, key: Key): void {
  const known: Partial<Record<string, number>> = counts;
  known[key] = (known[key] ?? 0) + 1;
}

/** Counts calls. */
export class CallStatistics {
  readonly #durations = {
    cold: new Histogram(),
    warm: new Histogram(),
    session: new Histogram(),
  };
  readonly #sessions = { open: 0, opened: 0, lost: 0 };
  readonly #whyCold: Partial<Record<ColdReason, number>> = {};
  readonly #outcomes: Partial<Record<Outcome | 'rejected', number>> = {};
  #begun = 0;

  begin(): void {
    this.#begun += 1;
  }

  end(call: CallMessage): void {
    this.#durations[call.path].record(call.milliseconds);
    count(this.#outcomes, call.outcome);
    if (call.whyCold !== null) {
      count(this.#whyCold, call.whyCold);
    }
  }

  tellSession({ type }: SessionMessage): void {
    this.#sessions.open += type === 'opened' ? 1 : -1;
    if (type !== 'closed') {
      this.#sessions[type] += 1;
    }
  }

  read(pools: Record<string, PoolStatistics>, queue: QueueStatistics): JailStatistics {
    const cold = this.#durations.cold.read();
    const warm = this.#durations.warm.read();
    const session = this.#durations.session.read();
    const calls = cold.count + warm.count + session.count;
    return {
      calls,
      running: this.#begun - calls,
      waiting: Object.values(pools).reduce((total, { waiting }) => total + waiting, 0),
      cold: cold.count,
      warm: warm.count,
      steps: session.count,
      sessions: { ...this.#sessions },
      whyCold: { ...this.#whyCold },
      outcomes: { ...this.#outcomes },
      durations: { cold, warm, session },
      queue,
      pools,
    };
  }
}
