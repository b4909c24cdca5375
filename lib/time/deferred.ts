/** A promise that is settled from outside, once. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  #settle: (value: T) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Later ones change nothing. */
  settle(value: T): void {
    this.#settle(value);
  }
}
