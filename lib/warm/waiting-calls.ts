// Calls that wait for a cell, first come, first served.
import { throwIfAborted, type EndSignal } from '../run/end-signal';
import type { ColdReason } from './rule';

interface Waiting<T> {
  settle: (given: T | ColdReason) => void;
}

/** A queue of calls, each of which gets what it waits for, a reason to go cold, or an abort. */
export class WaitingCalls<T> {
  readonly #waiting = new Set<Waiting<T>>();

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for the next one that nobody else waits for.
   * @param patienceMs after this the call goes cold
   * @throws the reason of a signal that is aborted meanwhile
   */
  async join(signals: readonly EndSignal[], patienceMs: number): Promise<T | ColdReason> {
    throwIfAborted(signals);
    let stop = (): void => undefined;
    try {
      return await new Promise<T | ColdReason>((resolve, reject) => {
        const entry = { settle: resolve };
        this.#waiting.add(entry);
        // Left at once, not when the promise is seen to: nothing may be given to who is gone.
        const onAbort = (): void => {
          this.#waiting.delete(entry);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
          reject(signals.find(({ aborted }) => aborted)?.reason);
        };
        // Not unref'd: it keeps the process alive for a caller that waits, and ends with the waiting.
        const timer = setTimeout(() => {
          this.#waiting.delete(entry);
          resolve('waited-too-long');
        }, patienceMs);
        for (const signal of signals) {
          signal.addEventListener('abort', onAbort, { once: true });
        }
        stop = () => {
          clearTimeout(timer);
          for (const signal of signals) {
            signal.removeEventListener('abort', onAbort);
          }
        };
      });
    } finally {
      stop();
    }
  }

  /** Gives to the first that waits. False where nobody does. */
  give(what: T): boolean {
    const [first] = this.#waiting;
    if (first === undefined) {
      return false;
    }
    this.#waiting.delete(first);
    first.settle(what);
    return true;
  }

  /** Sends all that wait away. */
  dismiss(reason: ColdReason): void {
    for (const entry of this.#waiting) {
      entry.settle(reason);
    }
    this.#waiting.clear();
  }
}
