// A line: first in, first out, and whoever gives up leaves from the middle. Each step takes the same time, however many stand there.

/** Who can stand in a line; in one at a time. */
export interface Standing<T> {
  /** Who stands before, and behind: the line's own affair. */
  ahead: T | null;
  behind: T | null;
}

/** Those who stand in line. */
export class Line<T extends Standing<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Who has stood here longest, or null. */
  get first(): T | null {
    return this.#first;
  }

  /** Who came last, or null. */
  get last(): T | null {
    return this.#last;
  }

  /** Joins at the end. */
  join(entry: T): void {
    entry.ahead = this.#last;
    entry.behind = null;
    if (this.#last === null) {
      this.#first = entry;
    } else {
      this.#last.behind = entry;
    }
    this.#last = entry;
    this.#size += 1;
  }

  /** Leaves; to be called for who stands in this line. */
  leave(entry: T): void {
    const { ahead, behind } = entry;
    if (ahead === null) {
      this.#first = behind;
    } else {
      ahead.behind = behind;
    }
    if (behind === null) {
      this.#last = ahead;
    } else {
      behind.ahead = ahead;
    }
    entry.ahead = null;
    entry.behind = null;
    this.#size -= 1;
  }

  /** From the first to the last. */
  *[Symbol.iterator](): Generator<T> {
    for (let entry = this.#first; entry !== null; entry = entry.behind) {
      yield entry;
    }
  }
}
