// What a pool tells of itself.
import type { DurationHistogram } from '../time/histogram';
import type { RecycleReason } from './generation';

/** How a pool stands. `failed`: the template could not be started; a later call tries again. */
export type PoolState = 'stopped' | 'starting' | 'ready' | 'failed' | 'closed';

/** What one warm command's pool has now, and did since it was made. */
export interface PoolStatistics {
  /** How the pool stands. */
  state: PoolState;
  /** Cells that wait for a call. */
  cellsReady: number;
  /** Cells that run a call. */
  cellsRunning: number;
  /** Cells that are being made. */
  cellsMaking: number;
  /** Calls that wait for a cell. */
  waiting: number;
  /** Cells that were made since the pool was. */
  cellsMade: number;
  /** Cells that died before their call began. No call fails for it. */
  cellsLost: number;
  /** How long it took to make a cell. */
  refillMs: DurationHistogram;
  /** How often a template was started. */
  templateStarts: number;
  /** How often a template was replaced, by cause. */
  templateRestarts: Partial<Record<RecycleReason, number>>;
  /** Bytes of memory of the template and its helpers; of two while one replaces the other. */
  templateBytes: number;
}

/** What happens in a pool. */
export type PoolEvent =
  | {
      /** A cell was made. */
      type: 'cell-made';
      /** How long that took. */
      milliseconds: number;
    }
  | {
      /** A cell died before its call began. */
      type: 'cell-lost';
    }
  | {
      /** A template was started. */
      type: 'template-started';
      /** How long that took. */
      milliseconds: number;
      /** Why it takes another one's place; null of the first. */
      reason: RecycleReason | null;
    }
  | {
      /** A template could not be started. */
      type: 'template-failed';
      /** What it failed with. */
      error: unknown;
    }
  | {
      /** A template has ended. */
      type: 'template-ended';
      /** Whether it was to. */
      expected: boolean;
      /** How many cells it has made. */
      cellsMade: number;
      /** How long it stood, in milliseconds. */
      ageMs: number;
    };
