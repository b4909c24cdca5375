// One signal for many calls. An EventTarget looks for each listener that comes or goes among all that it has, and warns of
// the eleventh; a batch of thousands that share a signal is nothing unusual.
import type { EndSignal } from '../run/end-signal';

/** Listens to an AbortSignal once, and tells all who listen here. */
class SharedSignal implements EndSignal {
  readonly #signal: AbortSignal;
  readonly #listeners = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason as unknown;
  }

  throwIfAborted(): void {
    this.#signal.throwIfAborted();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) {
      this.#signal.removeEventListener('abort', this.#onAbort);
    }
  }

  readonly #onAbort = (): void => {
    // One that is taken away meanwhile is not told any more.
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener();
    }
  };
}

const shared = new WeakMap<AbortSignal, SharedSignal>();

/** The signal, to be listened to by any number of calls; no listener may throw. */
export function shareSignal(signal: AbortSignal): EndSignal {
  let known = shared.get(signal);
  if (known === undefined) {
    known = new SharedSignal(signal);
    shared.set(signal, known);
  }
  return known;
}
