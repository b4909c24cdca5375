// The cells of one pool that wait for a call: as many as shall, made behind those that are taken.
import type { DiskLimits } from '../limits';
import type { WarmArguments } from '../options/warm';
import { now } from '../time/clock';
import type { DurationHistogram } from '../time/histogram';
import type { Chores } from './chores';
import type { Generation, ReadyCell } from './generation';
import type { MemoryGauge } from './memory-gauge';
import type { PoolEvent } from './pool-statistics';
import { RefillPace } from './refill-pace';
import type { Templates } from './templates';
import type { WaitingCalls } from './waiting-calls';

/** What a stock is made of. */
export interface StockOptions {
  warm: Pick<WarmArguments, 'size' | 'lowWater'>;
  /** The limits that cells are made with now. */
  limits: () => DiskLimits;
  gauge: Pick<MemoryGauge, 'isShort'>;
  /** How many cells are made at a time. */
  processors: number;
  onEvent: (event: PoolEvent) => void;
  templates: Templates;
  waiting: WaitingCalls<ReadyCell>;
  chores: Chores;
}

const MOST_FAILURES_IN_A_ROW = 3;

/** Makes cells, for calls that wait and ahead of calls. */
export class Stock {
  readonly #options: StockOptions;
  readonly #templates: Templates;
  readonly #waiting: WaitingCalls<ReadyCell>;
  readonly #chores: Chores;
  readonly #pace = new RefillPace();
  readonly #whenQuiet: (() => void)[] = [];
  #isFilling = true;
  #isClosed = false;
  #cellsLost = 0;
  #failuresInARow = 0;
  #lastError: unknown;

  constructor(options: StockOptions) {
    this.#options = options;
    this.#templates = options.templates;
    this.#waiting = options.waiting;
    this.#chores = options.chores;
  }

  get cellsMade(): number {
    return this.#pace.cells;
  }

  get cellsLost(): number {
    return this.#cellsLost;
  }

  /** As of `RefillPace`. */
  get intervalMs(): number {
    return this.#pace.intervalMs;
  }

  /** How long cells took to be made. */
  histogram(): DurationHistogram {
    return this.#pace.histogram();
  }

  /** A template stands: what failed before is forgotten. */
  begin(): void {
    this.#failuresInARow = 0;
    this.#isFilling = true;
    this.refill();
  }

  /** A cell has served a call. */
  succeed(): void {
    this.#failuresInARow = 0;
  }

  /**
   * Makes as many cells as shall wait.
   * @throws what kept all of them from being made
   */
  async fill(): Promise<void> {
    this.#isFilling = true;
    this.refill();
    while ((this.#templates.current?.making ?? 0) > 0) {
      await new Promise<void>((resolve) => this.#whenQuiet.push(resolve));
    }
    if (this.#failuresInARow > 0 && (this.#templates.current?.ready.length ?? 0) === 0) {
      throw this.#lastError;
    }
  }

  /** Begins to make what is missing. */
  refill(): void {
    const generation = this.#templates.current;
    if (generation === undefined || this.#isClosed) {
      return;
    }
    const { warm, gauge, processors } = this.#options;
    const { size, lowWater } = warm;
    const { ready } = generation;
    if (ready.length >= size) {
      this.#isFilling = false;
      this.emptyRetired();
    } else if (ready.length < lowWater || generation.running === 0) {
      this.#isFilling = true;
    }
    const spare = this.#isFilling && !gauge.isShort() ? size : 0;
    const wanted = this.#waiting.size + spare;
    while (
      generation.making < processors &&
      ready.length + generation.making < wanted &&
      this.#failuresInARow < MOST_FAILURES_IN_A_ROW
    ) {
      // Below the low water while calls run, cells are taken faster than they are made: so is this one.
      const isUrgent =
        this.#waiting.size > generation.making ||
        (generation.running > 0 && ready.length + generation.making < lowWater);
      generation.making += 1;
      this.#chores.add(this.#make(generation, isUrgent));
    }
  }

  async #make(generation: Generation, isUrgent: boolean): Promise<void> {
    const limits = this.#options.limits();
    const beganAt = now();
    try {
      const cell = await generation.template.makeCell(limits, isUrgent);
      generation.making -= 1;
      this.#options.onEvent({ type: 'cell-made', milliseconds: this.#pace.record(beganAt) });
      this.#offer({ cell, generation, limits });
      this.#templates.recycleIfDue();
      this.refill();
    } catch (error) {
      generation.making -= 1;
      this.#onMakeFailed(generation, error);
    }
    this.#templates.closeRetired();
    for (const resolve of this.#whenQuiet.splice(0)) {
      resolve();
    }
  }

  // Not tried again at once, or a lasting failure would keep a processor busy: the next call tries.
  #onMakeFailed(generation: Generation, error: unknown): void {
    this.#lastError = error;
    if (this.#countFailure(generation) && generation.making === 0) {
      this.#waiting.dismiss('failed');
    }
  }

  #offer(entry: ReadyCell): void {
    const { cell, generation } = entry;
    if (this.#isClosed) {
      this.discard(entry);
    } else if (this.#waiting.give(entry)) {
      // Not when the call goes on, a turn later: its template would seem idle.
      generation.running += 1;
    } else if (
      generation !== this.#templates.current ||
      generation.ready.length >= this.#options.warm.size
    ) {
      // Made for a call that was aborted, or of a template that was replaced meanwhile.
      this.discard(entry);
    } else {
      generation.ready.push(entry);
      this.#chores.add(
        cell.dead.then(() => {
          if (generation.remove(entry)) {
            this.lose(generation);
            this.refill();
          }
        }),
      );
    }
  }

  /** A cell has died before it has served a call. */
  lose(generation: Generation): void {
    this.#cellsLost += 1;
    this.#options.onEvent({ type: 'cell-lost' });
    this.#countFailure(generation);
  }

  /** @returns whether the template is the current one still, and goes on */
  #countFailure(generation: Generation): boolean {
    if (generation !== this.#templates.current) {
      return false;
    }
    this.#failuresInARow += 1;
    if (this.#failuresInARow >= MOST_FAILURES_IN_A_ROW) {
      this.#templates.giveUp();
      return false;
    }
    return true;
  }

  /** Ends a cell that nobody takes. */
  discard(entry: ReadyCell): void {
    this.#chores.add(entry.cell.discard());
  }

  /** Ends the cells of templates that were replaced. */
  emptyRetired(): void {
    for (const generation of this.#templates.all) {
      if (generation !== this.#templates.current) {
        for (const entry of generation.ready.splice(0)) {
          this.discard(entry);
        }
      }
    }
    this.#templates.closeRetired();
  }

  /** Makes no more. */
  close(): void {
    this.#isClosed = true;
  }
}
