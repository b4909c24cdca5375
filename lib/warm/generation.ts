// One template and the cells that were forked from it.
import { sameDiskLimits, type DiskLimits } from '../limits';
import { now } from '../time/clock';
import type { Cell } from './cell';
import type { Template } from './template';

/** A cell that waits for a call. */
export interface ReadyCell {
  readonly cell: Cell;
  readonly generation: Generation;
  readonly limits: DiskLimits;
}

/** Why a template is replaced. */
export type RecycleReason = 'cells' | 'age' | 'growth' | 'death' | 'sick';

/** When a template is due. */
export interface RecycleBounds {
  recycleCells: number;
  recycleSeconds: number;
  recycleGrowth: number;
}

// To look costs a read of /proc for each of the template's processes.
const CELLS_BETWEEN_LOOKS = 50;

/** A template with its waiting cells, in the order in which they will be taken, and the number of its running ones. */
export class Generation {
  readonly template: Template;
  readonly #firstBytes: number;
  #lookedAt = 0;
  ready: ReadyCell[] = [];
  running = 0;
  making = 0;
  /** Cells that a session has: as long as it likes. */
  sessions = 0;

  constructor(template: Template) {
    this.template = template;
    this.#firstBytes = template.residentBytes();
  }

  /** The first waiting cell with these limits; those before it, of limits that have changed, go to `onStale`. */
  take(limits: DiskLimits, onStale: (entry: ReadyCell) => void): ReadyCell | undefined {
    for (;;) {
      const entry = this.ready.shift();
      if (entry === undefined || sameDiskLimits(entry.limits, limits)) {
        return entry;
      }
      onStale(entry);
    }
  }

  /**
   * Has a waiting cell that is on another processor taken next, where there is one: of several the newest, most of whose
   * memory is still in the caches. Returns who is next.
   */
  bringForward(processor: number): Cell | undefined {
    const { ready } = this;
    const index = ready.findLastIndex(({ cell }) => cell.processor !== processor);
    if (index > 0) {
      ready.unshift(...ready.splice(index, 1));
    }
    return ready[0]?.cell;
  }

  /** Takes a cell off the list; whether it was on it. */
  remove(entry: ReadyCell): boolean {
    const index = this.ready.indexOf(entry);
    if (index >= 0) {
      this.ready.splice(index, 1);
    }
    return index >= 0;
  }

  /** Whether no cell waits, runs a call, has a session or is being made. */
  isIdle(): boolean {
    return (
      this.ready.length === 0 && this.running === 0 && this.making === 0 && this.sessions === 0
    );
  }

  /** Why the template has to be replaced, if there is a reason. */
  due(bounds: RecycleBounds): RecycleReason | undefined {
    const { template } = this;
    if (template.cellsMade >= bounds.recycleCells) return 'cells';
    if (now() - template.startedAt >= bounds.recycleSeconds * 1000) return 'age';
    if (template.cellsMade - this.#lookedAt >= CELLS_BETWEEN_LOOKS) {
      this.#lookedAt = template.cellsMade;
      if (template.residentBytes() - this.#firstBytes > bounds.recycleGrowth) return 'growth';
    }
    return undefined;
  }
}
