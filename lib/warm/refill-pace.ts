import { now } from '../time/clock';
import { Histogram, type DurationHistogram } from '../time/histogram';

const LATEST_SHARE = 0.2;
const UNKNOWN_MS = 5;

/** How fast cells are made. */
export class RefillPace {
  readonly #histogram = new Histogram();
  #lastAt = 0;
  #cells = 0;
  /**
   * The time from one new cell to the next while they are being made, averaged: what a call has to wait
   * for. Less than a cell takes, where several are made at a time.
   */
  intervalMs = UNKNOWN_MS;

  get cells(): number {
    return this.#cells;
  }

  /** A cell has been made that was begun then; returns how long it took. */
  record(beganAt: number): number {
    const madeAt = now();
    const intervalMs = madeAt - Math.max(beganAt, this.#lastAt);
    this.intervalMs += LATEST_SHARE * (intervalMs - this.intervalMs);
    this.#lastAt = madeAt;
    this.#cells += 1;
    this.#histogram.record(madeAt - beganAt);
    return madeAt - beganAt;
  }

  histogram(): DurationHistogram {
    return this.#histogram.read();
  }
}
