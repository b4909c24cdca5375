// Which steps of one head run at a time: any number of those that leave the state as it is, or one that may change it; first
// come, first served.
import type { EndSignal } from '../run/end-signal';

interface Waiting {
  isShared: boolean;
  begin: () => void;
}

/** The turns of one head. */
export class Turns {
  readonly #most: number;
  readonly #waiting: Waiting[] = [];
  #shared = 0;
  #isTaken = false;

  /** @param most how many may share a turn */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether the next one that asks has to wait. */
  hasToWait(isShared: boolean): boolean {
    return this.#waiting.length > 0 || !this.#isFree(isShared);
  }

  #isFree(isShared: boolean): boolean {
    return !this.#isTaken && (isShared ? this.#shared < this.#most : this.#shared === 0);
  }

  /**
   * Waits for a turn.
   * @param isShared whether others may have theirs at the same time
   * @param signal gives the wait up
   * @returns ends it; to be called once
   * @throws the signal's reason
   */
  async take(isShared: boolean, signal?: EndSignal): Promise<() => void> {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        // Whatever the caller aborted it with.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal?.reason);
        // Those behind it may share a turn that goes on.
        this.#next();
      };
      const waiting = {
        isShared,
        begin: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.throwIfAborted();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
      this.#next();
    });
    return () => {
      if (isShared) {
        this.#shared -= 1;
      } else {
        this.#isTaken = false;
      }
      this.#next();
    };
  }

  #next(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#isFree(first.isShared)) {
        return;
      }
      this.#waiting.shift();
      if (first.isShared) {
        this.#shared += 1;
      } else {
        this.#isTaken = true;
      }
      first.begin();
    }
  }
}
