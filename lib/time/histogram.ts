// Durations, counted as monitoring systems want them.

// Upper bounds in milliseconds: a warm call is at the lower end, a program at its time limit at the upper.
const BOUNDS_MS = [
  0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 60_000,
] as const;

/** A histogram of durations, cumulative as Prometheus has them. */
export interface DurationHistogram {
  /** How many durations there were. */
  count: number;
  /** All durations together, in milliseconds. */
  sumMs: number;
  /** The longest one, in milliseconds. */
  maxMs: number;
  /** How many took at most `leMs`; what is beyond the last one is in `count` alone. */
  buckets: {
    /** The upper bound, in milliseconds. */
    leMs: number;
    /** How many durations were no longer. */
    count: number;
  }[];
}

/** Counts durations. */
export class Histogram {
  readonly #counts = BOUNDS_MS.map(() => 0);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** @param milliseconds one duration */
  record(milliseconds: number): void {
    this.#count += 1;
    this.#sumMs += milliseconds;
    this.#maxMs = Math.max(this.#maxMs, milliseconds);
    const index = BOUNDS_MS.findIndex((bound) => milliseconds <= bound);
    if (index >= 0) {
      this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    }
  }

  /** A copy of what was counted. */
  read(): DurationHistogram {
    let below = 0;
    return {
      count: this.#count,
      sumMs: this.#sumMs,
      maxMs: this.#maxMs,
      buckets: BOUNDS_MS.map((leMs, index) => {
        below += this.#counts[index] ?? 0;
        return { leMs, count: below };
      }),
    };
  }
}
