// Templates and cells without a process, for tests of what a pool does with them.
import type { RunResult } from '../../lib/run/conclusion';
import type { Cell, WarmCall } from '../../lib/warm/cell';
import { CellLostError } from '../../lib/warm/cell-lost';
import type { DiskLimits } from '../../lib/limits';
import type { Template } from '../../lib/warm/template';
import { now } from '../../lib/time/clock';

/** A promise that is settled from outside. */
export class Deferred<T = void> {
  resolve: (value: T) => void = () => undefined;
  reject: (reason: unknown) => void = () => undefined;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

export class FakeCell implements Cell {
  readonly limits: DiskLimits;
  readonly #dead = new Deferred();
  readonly finish = new Deferred<RunResult>();
  calls: WarmCall[] = [];
  announcements = 0;
  processor = -1;
  isDead = false;
  isDiscarded = false;

  constructor(limits: DiskLimits) {
    this.limits = limits;
  }

  get dead(): Promise<void> {
    return this.#dead.promise;
  }

  announce(): void {
    this.announcements += 1;
  }

  async run(call: WarmCall): Promise<RunResult> {
    if (this.isDead) {
      throw new CellLostError('take the cell', 0);
    }
    this.calls.push(call);
    try {
      return await this.finish.promise;
    } finally {
      this.die();
    }
  }

  openSession(): never {
    throw new CellLostError('take the cell', 0);
  }

  async discard(): Promise<void> {
    this.isDiscarded = true;
    this.die();
  }

  die(): void {
    this.isDead = true;
    this.#dead.resolve();
  }
}

export class FakeTemplate implements Template {
  readonly #ended = new Deferred();
  readonly cells: FakeCell[] = [];
  #isDead = false;
  readonly checks = [];
  cellsMade = 0;
  startedAt = now();
  bytes = 1000;
  isClosed = false;
  /** While set, cells are made only when it resolves. */
  gate: Promise<void> | undefined;
  failure: Error | undefined;

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  residentBytes(): number {
    return this.bytes;
  }

  /** Of each cell, in the order in which they were asked for. */
  readonly urgent: boolean[] = [];

  async makeCell(limits: DiskLimits, isUrgent = false): Promise<FakeCell> {
    this.urgent.push(isUrgent);
    await this.gate;
    if (this.#isDead) {
      throw new Error('the template is dead');
    }
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const cell = new FakeCell(limits);
    this.cells.push(cell);
    this.cellsMade += 1;
    return cell;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.die();
  }

  /** Ends with its cells, as when it is killed. */
  die(): void {
    for (const cell of this.cells) {
      cell.die();
    }
    this.#isDead = true;
    this.#ended.resolve();
  }

  get waitingCells(): FakeCell[] {
    return this.cells.filter(({ isDead, calls }) => !isDead && calls.length === 0);
  }
}
