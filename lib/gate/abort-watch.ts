// Aborts of what waits: one listener a signal, though thousands of calls wait with the same one. A listener that is added
// to an EventTarget, or taken away, is looked for among all that it has.
import type { EndSignal } from '../end-signal';

/** Told when its signal is aborted. */
export interface Abortable {
  abort(reason: unknown): void;
}

interface Watched {
  waiting: Set<Abortable>;
  onAbort: () => void;
}

/** Tells those who wait that their signal is aborted. */
export class AbortWatch {
  readonly #watched = new Map<EndSignal, Watched>();

  /** Begins to tell; not for a signal that is aborted already. */
  add(signal: EndSignal, entry: Abortable): void {
    const known = this.#watched.get(signal);
    if (known !== undefined) {
      known.waiting.add(entry);
      return;
    }
    const waiting = new Set([entry]);
    const onAbort = (): void => {
      this.#watched.delete(signal);
      for (const each of waiting) {
        each.abort(signal.reason);
      }
    };
    this.#watched.set(signal, { waiting, onAbort });
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** Tells it no more. */
  remove(signal: EndSignal, entry: Abortable): void {
    const known = this.#watched.get(signal);
    if (known?.waiting.delete(entry) === true && known.waiting.size === 0) {
      this.#watched.delete(signal);
      signal.removeEventListener('abort', known.onAbort);
    }
  }
}
