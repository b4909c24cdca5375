// What all jails of this process run at a time, together. Each has a gate of its own before this one.
import { setImmediate } from 'node:timers';
import { capacityOf, readHostSupply, type Capacity } from './capacity';
import { Line, type Standing } from './line';

/** A jail that lets calls in. */
export interface Entrance extends Standing<Entrance> {
  /** Whether a call waits that its own bound would let in. */
  readonly isEager: boolean;
  /** Lets the next call in. */
  admit(): void;
}

/**
 * Counts what runs, and gives jails that wait for each other their turns. Calls are let in by a turn of the event loop's
 * of their own: a caller whose call ends has its result first, and any number that fail at once do not hold it.
 */
export class ProcessGate {
  readonly #read: () => Capacity;
  readonly #eager = new Line<Entrance>();
  readonly #standing = new Set<Entrance>();
  readonly #claims = new Map<number, number>();
  #capacity: Capacity | undefined;
  #maxRunning = 0;
  #running = 0;
  #isDue = false;

  /** @param read what the host is fit for; asked once, at the first need */
  constructor(read: () => Capacity = () => capacityOf(readHostSupply())) {
    this.#read = read;
  }

  /** How many calls run. */
  get running(): number {
    return this.#running;
  }

  /** What the host is fit for. */
  get capacity(): Capacity {
    return (this.#capacity ??= this.#read());
  }

  /** How many may. */
  get maxRunning(): number {
    if (this.#maxRunning === 0) {
      const { usual, most } = this.capacity;
      this.#maxRunning = Math.min(most, Math.max(usual, ...this.#claims.keys()));
    }
    return this.#maxRunning;
  }

  /** Whether one more may run, and nobody waits for it. */
  get isOpen(): boolean {
    return this.#eager.size === 0 && this.#running < this.maxRunning;
  }

  /**
   * A jail's operator has said how many it may run: that is for the whole process to bear.
   * @param before what was said before, if anything was
   * @param after what is said now, if anything is
   */
  claim(before: number | undefined, after: number | undefined): void {
    if (before !== undefined) {
      const others = (this.#claims.get(before) ?? 0) - 1;
      if (others > 0) {
        this.#claims.set(before, others);
      } else {
        this.#claims.delete(before);
      }
    }
    if (after !== undefined) {
      this.#claims.set(after, (this.#claims.get(after) ?? 0) + 1);
    }
    this.#maxRunning = 0;
    this.#schedule();
  }

  /** A call was let in. */
  enter(): void {
    this.#running += 1;
  }

  /** A call has ended. */
  leave(): void {
    this.#running -= 1;
    this.#schedule();
  }

  /** To be called when whether this jail is eager may have changed. */
  review(entrance: Entrance): void {
    if (entrance.isEager !== this.#standing.has(entrance)) {
      if (entrance.isEager) {
        this.#standing.add(entrance);
        this.#eager.join(entrance);
      } else {
        this.#standing.delete(entrance);
        this.#eager.leave(entrance);
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#isDue && this.#eager.size > 0 && this.#running < this.maxRunning) {
      this.#isDue = true;
      setImmediate(() => {
        this.#isDue = false;
        this.#admit();
      });
    }
  }

  #admit(): void {
    for (let next = this.#eager.first; next !== undefined && this.#running < this.maxRunning;) {
      // Behind the others, where it has more.
      this.#eager.leave(next);
      this.#eager.join(next);
      next.admit();
      this.review(next);
      next = this.#eager.first;
    }
  }
}

/** That of this process, or of this worker thread. */
export const processGate = new ProcessGate();

/** How many calls this process has the descriptors for. */
export function mostRunning(): number {
  return processGate.capacity.most;
}
