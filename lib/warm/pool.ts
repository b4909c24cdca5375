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
import { RefillPace } from './refill-pace';
import { waitingIsFaster, type ColdReason } from './rule';
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
const MOST_FAILURES_IN_A_ROW = 3;

/** Keeps cells ready, as many as its options and the host's memory allow. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #processors: number;
  readonly #now: () => number;
  readonly #onEvent: (event: PoolEvent) => void;
  readonly #waiting = new WaitingCalls<ReadyCell>();
  readonly #chores = new Chores();
  readonly #templates: Templates;
  readonly #pace = new RefillPace();
  #closing: Promise<void> | undefined;
  readonly #whenQuiet: (() => void)[] = [];
  #isFilling = true;
  #cellsLost = 0;
  #failuresInARow = 0;
  // When a call last ended, or was announced.
  #awakeAt = Number.NEGATIVE_INFINITY;
  #lastError: unknown;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#processors = options.processors ?? processors();
    this.#now = options.now ?? now;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#templates = new Templates({
      start: options.startTemplate,
      bounds: options.warm,
      gauge: options.gauge,
      chores: this.#chores,
      onEvent: this.#onEvent,
      onStanding: () => {
        this.#failuresInARow = 0;
        this.#isFilling = true;
        this.#refill();
      },
      onGone: (reason) => {
        this.#waiting.dismiss(reason);
      },
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
    for (let lost = 0; lost < MOST_LOST_CELLS_OF_A_CALL; lost += 1) {
      const taken = this.#takeNow(call.limits) ?? (await this.#wait(call));
      if (typeof taken === 'string') {
        return taken;
      }
      const { generation, limits } = taken;
      try {
        if (!sameDiskLimits(limits, call.limits)) {
          this.#discard(taken);
          return 'disk-limits';
        }
        onTaken?.();
        const running = taken.cell.run(call, calledAt);
        // Its program runs; the next cell has time.
        setImmediate(() => {
          this.#refill();
        });
        this.#chores.add(running);
        const result = await running;
        this.#failuresInARow = 0;
        return result;
      } catch (error) {
        if (!(error instanceof CellLostError)) {
          // One that was aborted before its call began still waits.
          this.#discard(taken);
          throw error;
        }
        this.#onLost(generation);
      } finally {
        generation.running -= 1;
        this.#awakeAt = this.#now();
        this.#tidyAfter(taken.cell);
      }
    }
    return 'cells-lost';
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
    for (let lost = 0; lost < MOST_LOST_CELLS_OF_A_CALL; lost += 1) {
      const taken = this.#takeNow(call.limits) ?? (await this.#wait(call));
      if (typeof taken === 'string') {
        return taken;
      }
      const { cell, generation, limits } = taken;
      try {
        if (!sameDiskLimits(limits, call.limits)) {
          this.#discard(taken);
          return 'disk-limits';
        }
        throwIfAborted(call.signals);
        const begun = begin(cell);
        generation.sessions += 1;
        this.#chores.add(
          cell.dead.then(() => {
            generation.sessions -= 1;
          }),
        );
        return begun;
      } catch (error) {
        if (!(error instanceof CellLostError)) {
          this.#discard(taken);
          throw error;
        }
        this.#onLost(generation);
      } finally {
        generation.running -= 1;
        this.#tidyAfter(cell);
        setImmediate(() => {
          this.#refill();
        });
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
      this.#isFilling = true;
      this.#refill();
      while ((this.#templates.current?.making ?? 0) > 0) {
        await new Promise<void>((resolve) => this.#whenQuiet.push(resolve));
      }
      if (this.#failuresInARow > 0 && (this.#templates.current?.ready.length ?? 0) === 0) {
        throw this.#lastError;
      }
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
      cellsMade: this.#pace.cells,
      cellsLost: this.#cellsLost,
      refillMs: this.#pace.histogram(),
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
    this.#waiting.dismiss('closed');
    await this.#templates.close();
    this.#emptyRetired();
    await this.#chores.done();
  }

  /** A waiting cell, of the oldest template first: a retired one is used up. */
  #takeNow(limits: DiskLimits): ReadyCell | undefined {
    if (this.#closing !== undefined) {
      return undefined;
    }
    for (const generation of this.#templates.all) {
      const taken = generation.take(limits, (stale) => {
        this.#discard(stale);
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
    if (!waitingIsFaster(size, this.#pace.intervalMs, this.#templates.startMs, this.#processors)) {
      this.#refill();
      return 'slower-to-wait';
    }
    const expectedMs = (size + 1) * this.#pace.intervalMs;
    const given = this.#waiting.join(
      call.signals ?? [],
      Math.max(SHORTEST_PATIENCE_MS, PATIENCE * expectedMs),
    );
    this.#refill();
    return given;
  }

  // When the caller has its result: making cells costs the event loop time too.
  #tidyAfter(cell: Cell): void {
    this.#chores.add(
      cell.dead.then(nextTurn).then(() => {
        this.#templates.recycleIfDue();
        this.#refill();
        this.#templates.closeRetired();
      }),
    );
  }

  #refill(): void {
    const generation = this.#templates.current;
    if (generation === undefined || this.#closing !== undefined) {
      return;
    }
    const { size, lowWater } = this.#options.warm;
    const { ready } = generation;
    if (ready.length >= size) {
      this.#isFilling = false;
      this.#emptyRetired();
    } else if (ready.length < lowWater || generation.running === 0) {
      this.#isFilling = true;
    }
    const spare = this.#isFilling && !this.#options.gauge.isShort() ? size : 0;
    const wanted = this.#waiting.size + spare;
    while (
      generation.making < this.#processors &&
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
      this.#onEvent({ type: 'cell-made', milliseconds: this.#pace.record(beganAt) });
      this.#offer({ cell, generation, limits });
      this.#templates.recycleIfDue();
      this.#refill();
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
    if (generation !== this.#templates.current) {
      return;
    }
    this.#failuresInARow += 1;
    if (this.#failuresInARow >= MOST_FAILURES_IN_A_ROW) {
      this.#templates.giveUp();
    } else if (generation.making === 0) {
      this.#waiting.dismiss('failed');
    }
  }

  #offer(entry: ReadyCell): void {
    if (this.#closing !== undefined) {
      this.#discard(entry);
    } else if (this.#waiting.give(entry)) {
      // Not when the call goes on, a turn later: its template would seem idle.
      entry.generation.running += 1;
    } else {
      const { generation } = entry;
      // Made for a call that was aborted, or of a template that was replaced meanwhile.
      if (
        generation !== this.#templates.current ||
        generation.ready.length >= this.#options.warm.size
      ) {
        this.#discard(entry);
        return;
      }
      generation.ready.push(entry);
      this.#chores.add(
        entry.cell.dead.then(() => {
          if (generation.remove(entry)) {
            this.#onLost(generation);
            this.#refill();
          }
        }),
      );
    }
  }

  #onLost(generation: Generation): void {
    this.#cellsLost += 1;
    this.#onEvent({ type: 'cell-lost' });
    if (generation !== this.#templates.current) {
      return;
    }
    this.#failuresInARow += 1;
    if (this.#failuresInARow >= MOST_FAILURES_IN_A_ROW) {
      this.#templates.giveUp();
    }
  }

  #emptyRetired(): void {
    for (const generation of this.#templates.all) {
      if (generation !== this.#templates.current) {
        for (const entry of generation.ready.splice(0)) {
          this.#discard(entry);
        }
      }
    }
    this.#templates.closeRetired();
  }

  #discard(entry: ReadyCell): void {
    this.#chores.add(entry.cell.discard());
  }
}
