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
  | { type: 'cell-made'; milliseconds: number }
  | { type: 'cell-lost' }
  | { type: 'template-started'; milliseconds: number; reason: RecycleReason | null }
  | { type: 'template-failed'; error: unknown }
  | { type: 'template-ended'; expected: boolean; cellsMade: number; ageMs: number };
