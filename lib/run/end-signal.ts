// What ends calls before their time.

/** Ends a call when it is aborted: the caller's `AbortSignal`, or its jail's `Closing`. */
export interface EndSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options: { once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Throws the reason of one that was aborted. */
export function throwIfAborted(signals: readonly EndSignal[] = []): void {
  for (const signal of signals) {
    signal.throwIfAborted();
  }
}

/** Ends all calls of a jail. Not an AbortController: every call listens, and each listener of an EventTarget costs. */
export class Closing implements EndSignal {
  readonly #listeners = new Set<() => void>();
  #aborted = false;
  #reason: unknown;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) {
      throw this.#reason;
    }
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Tells who listens, once; no listener may throw. */
  abort(reason: unknown): void {
    if (this.#aborted) {
      return;
    }
    this.#aborted = true;
    this.#reason = reason;
    for (const listener of this.#listeners) {
      listener();
    }
    this.#listeners.clear();
  }
}
