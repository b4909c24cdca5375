// A line: first in, first out, and whoever gives up leaves from the middle. Each step takes the same time, however many stand there.

/** Who can stand in a line; in one at a time. */
export interface Standing<T> {
  /** Who stands before, and behind: the line's own affair. */
  ahead: T | undefined;
  behind: T | undefined;
}

/** Those who stand in line. */
export class Line<T extends Standing<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Who has stood here longest; undefined where there is none. */
  get first(): T | undefined {
    return this.#first;
  }

  /** Who came last; undefined where there is none. */
  get last(): T | undefined {
    return this.#last;
  }

  /** Joins at the end. */
  join(entry: T): void {
    entry.ahead = this.#last;
    entry.behind = undefined;
    if (this.#last === undefined) {
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
    if (ahead === undefined) {
      this.#first = behind;
    } else {
      ahead.behind = behind;
    }
    if (behind === undefined) {
      this.#last = ahead;
    } else {
      behind.ahead = ahead;
    }
    entry.ahead = undefined;
    entry.behind = undefined;
    this.#size -= 1;
  }

  /** From the first to the last. */
  *[Symbol.iterator](): Generator<T> {
    for (let entry = this.#first; entry !== undefined; entry = entry.behind) {
      yield entry;
    }
  }
}
