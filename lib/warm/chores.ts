/** What goes on in the background: its failures are nobody's, but its end can be waited for. */
export class Chores {
  readonly #running = new Set<Promise<unknown>>();

  add(work: Promise<unknown>): void {
    const chore = work
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(chore);
      });
    this.#running.add(chore);
  }

  /** Waits until nothing goes on, what was added meanwhile included. */
  async done(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }
  }
}
