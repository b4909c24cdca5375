// The waiting cells of one warm command: made ahead of need, given to calls in order, replaced behind them.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { processors } from '../host/processors';
import { sameDiskLimits, type DiskLimits } from '../limits';
import type { WarmArguments } from '../options/warm';
import type { ProbeCheck } from '../proof/probe';
import type { RunResult } from '../run/conclusion';
import { now } from '../time/clock';
import { throwIfAborted } from '../run/end-signal';
import type { Cell, WarmCall } from './cell';
import { CellLostError } from './cell-lost';
import { Chores } from './chores';
import type { Generation, ReadyCell } from './generation';
import type { MemoryGauge } from './memory-gauge';
import type { PoolEvent, PoolStatistics } from './pool-statistics';
import { waitingIsFaster, type ColdReason } from './rule';
import { Stock } from './stock';
import type { Template } from './template';
import { Templates } from './templates';
import { WaitingCalls } from './waiting-calls';

/** What a session needs of its cell. */
export type SessionNeeds = Pick<WarmCall, 'limits' | 'signals'>;

/** What a pool is made of. */
export interface PoolOptions {
  warm: WarmArguments;
  /** Starts a template; rejects where it can't be. */
  startTemplate: () => Promise<Template>;
  /** The limits that cells are made with now. */
  limits: () => DiskLimits;
  gauge: Pick<MemoryGauge, 'isShort'>;
  /** The number of the processor that runs this thread. */
  currentProcessor: () => number;
  /** Milliseconds, by a clock that nobody sets. */
  now?: (() => number) | undefined;
  processors?: number | undefined;
  onEvent?: ((event: PoolEvent) => void) | undefined;
}

// A cell that fails to come is told at once; this is for one that hangs.
const SHORTEST_PATIENCE_MS = 2000;
const PATIENCE = 5;
// By then what a call takes has left the processor's caches.
const AWAKE_MS = 5;
const MOST_LOST_CELLS_OF_A_CALL = 3;

/** Keeps cells ready, as many as its options and the host's memory allow. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #processors: number;
  readonly #now: () => number;
  readonly #waiting = new WaitingCalls<ReadyCell>();
  readonly #chores = new Chores();
  readonly #templates: Templates;
  readonly #stock: Stock;
  #closing: Promise<void> | undefined;
  // When a call last ended, or was announced.
  #awakeAt = Number.NEGATIVE_INFINITY;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#processors = options.processors ?? processors();
    this.#now = options.now ?? now;
    const onEvent = options.onEvent ?? (() => undefined);
    this.#templates = new Templates({
      start: options.startTemplate,
      bounds: options.warm,
      gauge: options.gauge,
      chores: this.#chores,
      onEvent,
      onStanding: () => {
        this.#stock.begin();
      },
      onGone: (reason) => {
        this.#waiting.dismiss(reason);
      },
    });
    const { warm, limits, gauge } = options;
    this.#stock = new Stock({
      ...{ warm, limits, gauge, onEvent, processors: this.#processors },
      ...{ templates: this.#templates, waiting: this.#waiting, chores: this.#chores },
    });
  }

  /**
   * Runs a call in a cell.
   * @param onTaken called when a cell is about to run it
   * @returns why not, where it has to run cold
   * @throws as `Cell.run`; a signal's reason where the call was aborted while it waited
   */
  async run(
    call: WarmCall,
    calledAt: number,
    onTaken?: () => void,
  ): Promise<RunResult | ColdReason> {
    const result = await this.#inCell(
      call,
      async ({ cell }) => {
        onTaken?.();
        const running = cell.run(call, calledAt);
        // Its program runs; the next cell has time.
        this.#refillSoon();
        this.#chores.add(running);
        return running;
      },
      () => {
        this.#awakeAt = this.#now();
      },
    );
    if (typeof result !== 'string') {
      this.#stock.succeed();
    }
    return result;
  }

  /**
   * Begins a session in a cell, which it has until its end.
   * @param begin begins it in that cell
   * @returns why there is none
   * @throws what `begin` throws; a signal's reason where the session was given up while it waited
   */
  async lend<Begun extends object>(
    call: SessionNeeds,
    begin: (cell: Cell) => Begun,
  ): Promise<Begun | ColdReason> {
    return this.#inCell(
      call,
      ({ cell, generation }) => {
        throwIfAborted(call.signals);
        const begun = begin(cell);
        generation.sessions += 1;
        this.#chores.add(
          cell.dead.then(() => {
            generation.sessions -= 1;
          }),
        );
        return begun;
      },
      () => {
        this.#refillSoon();
      },
    );
  }

  /**
   * Has a cell used, and another one where that is lost before it was.
   * @param onOver called when it was used, or could not be
   */
  async #inCell<T>(
    call: SessionNeeds,
    use: (taken: ReadyCell) => T | Promise<T>,
    onOver: () => void,
  ): Promise<T | ColdReason> {
    for (let lost = 0; lost < MOST_LOST_CELLS_OF_A_CALL; lost += 1) {
      const taken = this.#takeNow(call.limits) ?? (await this.#wait(call));
      if (typeof taken === 'string') {
        return taken;
      }
      const { cell, generation, limits } = taken;
      try {
        if (!sameDiskLimits(limits, call.limits)) {
          this.#stock.discard(taken);
          return 'disk-limits';
        }
        return await use(taken);
      } catch (error) {
        if (!(error instanceof CellLostError)) {
          // One that was aborted before its call began still waits.
          this.#stock.discard(taken);
          throw error;
        }
        this.#stock.lose(generation);
      } finally {
        generation.running -= 1;
        onOver();
        this.#tidyAfter(cell);
      }
    }
    return 'cells-lost';
  }

  /**
   * Tells the cell that a call will be given that one is about to come: it wakes up, and goes over what a call takes,
   * while the call is still being checked. Where calls run or ran just now it is awake, or a processor is not free.
   * One on another processor than the server's goes first: on its own it would wait until the server has done its part.
   * @returns whether one was told
   */
  announce(): boolean {
    const calledAt = this.#now();
    if (calledAt - this.#awakeAt < AWAKE_MS || this.#processors < 2) {
      return false;
    }
    let next: Generation | undefined;
    for (const generation of this.#templates.all) {
      if (generation.running > 0) {
        return false;
      }
      if (generation.ready.length > 0) {
        next ??= generation;
      }
    }
    if (next === undefined) {
      return false;
    }
    this.#awakeAt = calledAt;
    next.bringForward(this.#options.currentProcessor())?.announce();
    return true;
  }

  /**
   * Starts the template, and makes as many cells as shall wait.
   * @returns why there are none, where it does not
   * @throws what kept the template from starting, or all cells from being made
   */
  async warmUp(): Promise<ColdReason | undefined> {
    // A pool's handles do not keep the process alive; who waits for it does.
    const alive = setInterval(() => undefined, 2 ** 30);
    try {
      if (this.#templates.current === undefined && this.#closing === undefined) {
        await this.#templates.start();
      }
      await this.#stock.fill();
      return this.#closing === undefined ? undefined : 'closed';
    } finally {
      clearInterval(alive);
    }
  }

  /** What was tried in cells like those that wait. */
  checks(): readonly ProbeCheck[] {
    return this.#templates.current?.template.checks ?? [];
  }

  /** What the pool has and did. */
  stats(): PoolStatistics {
    const sum = (of: (generation: Generation) => number): number =>
      this.#templates.all.reduce((total, generation) => total + of(generation), 0);
    return {
      state: this.#templates.state,
      cellsReady: sum(({ ready }) => ready.length),
      cellsRunning: sum(({ running }) => running),
      cellsMaking: sum(({ making }) => making),
      waiting: this.#waiting.size,
      cellsMade: this.#stock.cellsMade,
      cellsLost: this.#stock.cellsLost,
      refillMs: this.#stock.histogram(),
      templateStarts: this.#templates.starts,
      templateRestarts: this.#templates.restarts,
      templateBytes: sum(({ template }) => template.residentBytes()),
    };
  }

  /** Lets running calls end, and waits until no process of the pool is left. Calls that wait go cold. */
  async close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#stock.close();
    this.#waiting.dismiss('closed');
    await this.#templates.close();
    this.#stock.emptyRetired();
    await this.#chores.done();
  }

  /** A waiting cell, of the oldest template first: a retired one is used up. */
  #takeNow(limits: DiskLimits): ReadyCell | undefined {
    if (this.#closing !== undefined) {
      return undefined;
    }
    for (const generation of this.#templates.all) {
      const taken = generation.take(limits, (stale) => {
        this.#stock.discard(stale);
      });
      if (taken !== undefined) {
        taken.generation.running += 1;
        return taken;
      }
    }
    return undefined;
  }

  async #wait(call: Pick<WarmCall, 'signals'>): Promise<ReadyCell | ColdReason> {
    if (this.#closing !== undefined) {
      return 'closed';
    }
    if (this.#templates.current === undefined) {
      return this.#templates.startIfDue();
    }
    const { size } = this.#waiting;
    if (size >= this.#options.warm.maxWaiting) {
      return 'queue-full';
    }
    if (!waitingIsFaster(size, this.#stock.intervalMs, this.#templates.startMs, this.#processors)) {
      this.#stock.refill();
      return 'slower-to-wait';
    }
    const expectedMs = (size + 1) * this.#stock.intervalMs;
    const given = this.#waiting.join(
      call.signals ?? [],
      Math.max(SHORTEST_PATIENCE_MS, PATIENCE * expectedMs),
    );
    this.#stock.refill();
    return given;
  }

  #refillSoon(): void {
    setImmediate(() => {
      this.#stock.refill();
    });
  }

  // When the caller has its result: making cells costs the event loop time too.
  #tidyAfter(cell: Cell): void {
    this.#chores.add(
      cell.dead.then(nextTurn).then(() => {
        this.#templates.recycleIfDue();
        this.#stock.refill();
        this.#templates.closeRetired();
      }),
    );
  }
}
