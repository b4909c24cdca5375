// How long one turn of the event loop may work on what a program has sent back.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Beside it a turn has room for a garbage collection, and for one step that can't be divided. */
const TURN_MS = 4;

/** Time of one turn after the other, for work that lets the event loop go on between its steps. */
export class Budget {
  #until = performance.now() + TURN_MS;

  /** Whether this turn has worked for long enough. */
  isSpent(): boolean {
    return performance.now() >= this.#until;
  }

  /** Lets the event loop go on. */
  async nextTurn(): Promise<void> {
    await nextTurn();
    this.#until = performance.now() + TURN_MS;
  }
}
