// One call's place: in line, then among those that run.
import type { EndSignal } from '../run/end-signal';
import { now } from '../time/clock';
import type { Queued } from './fair-queue';

/** What a place needs of the gate that gave it. */
export interface PlaceGate {
  /** A place in line is given up, for the reason that the call rejects with. */
  onGivenUp(place: Place, error: unknown): void;
  /** A call that was let in has ended. */
  onLeft(): void;
}

type Settle = { resolve: () => void; reject: (error: unknown) => void };

/** A call at a gate. */
export class Place implements Queued<Place> {
  ahead: Place | undefined;
  behind: Place | undefined;
  readonly tenant: string | undefined;
  readonly #signal: EndSignal | undefined;
  /** When it joined the line, in milliseconds of `process.hrtime`; 0 where it never stood in one. */
  readonly joinedAt: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #onAbort: (() => void) | undefined;
  /** How long it stood in line, in milliseconds, once it is let in. */
  waitedMs = 0;
  readonly #gate: PlaceGate;
  #state: 'waiting' | 'in' | 'out';
  #refusal: { error: unknown } | undefined;
  #settle: Settle | undefined;

  /** @param isIn whether it is let in at once */
  constructor(
    gate: PlaceGate,
    tenant: string | undefined,
    signal: EndSignal | undefined,
    isIn: boolean,
  ) {
    this.#gate = gate;
    this.tenant = tenant;
    this.#signal = signal;
    this.#state = isIn ? 'in' : 'waiting';
    this.joinedAt = isIn ? 0 : now();
    if (!isIn && signal !== undefined) {
      this.#onAbort = () => {
        gate.onGivenUp(this, signal.reason);
      };
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  /** Whether the call may go on. */
  get isIn(): boolean {
    return this.#state === 'in';
  }

  /**
   * Waits for its turn.
   * @returns when it came, in milliseconds of `process.hrtime`
   * @throws BusyError, ClosedError; the signal's reason
   */
  async turn(): Promise<number> {
    if (this.#state === 'waiting') {
      await new Promise<void>((resolve, reject) => {
        this.#settle = { resolve, reject };
      });
    }
    if (this.#refusal !== undefined) {
      throw this.#refusal.error;
    }
    return this.joinedAt + this.waitedMs;
  }

  /** Has this called after so many milliseconds, unless it has its turn or leaves before. */
  boundWait(patienceMs: number, onOver: () => void): void {
    this.#timer = setTimeout(onOver, patienceMs);
  }

  /** The gate's word: it is its turn. */
  letIn(): void {
    this.waitedMs = now() - this.joinedAt;
    this.#state = 'in';
    this.#forget();
    this.#settle?.resolve();
  }

  /** The gate's word: it has waited in vain. */
  refuse(error: unknown): void {
    this.#state = 'out';
    this.#forget();
    this.#refusal = { error };
    this.#settle?.reject(error);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) {
      this.#signal?.removeEventListener('abort', this.#onAbort);
    }
  }

  /** The call has ended, in whatever way; may be called again. */
  leave(): void {
    if (this.#state === 'in') {
      this.#state = 'out';
      this.#gate.onLeft();
    } else if (this.#state === 'waiting') {
      this.#gate.onGivenUp(this, undefined);
    }
  }
}
