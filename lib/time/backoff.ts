import { now } from './clock';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
// A template that lived so long was not started in vain.
const LONG_LIFE_MS = 10_000;

/** When to try again what has failed: after a second, then after twice as long each time, up to a minute. */
export class Backoff {
  #failures = 0;
  #dueAt = Number.NEGATIVE_INFINITY;

  get failures(): number {
    return this.#failures;
  }

  isDue(): boolean {
    return now() >= this.#dueAt;
  }

  onFailure(): void {
    this.#dueAt = now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
  }

  /** A template died by itself at this age; one that had lived long may be followed at once. */
  onDeath(ageMs: number): void {
    if (ageMs >= LONG_LIFE_MS) {
      this.#failures = 0;
    } else {
      this.onFailure();
    }
  }
}
