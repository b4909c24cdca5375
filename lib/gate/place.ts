// One call's place: in line, then among those that run.
import { now } from '../clock';
import type { EndSignal } from '../end-signal';
import type { Abortable } from './abort-watch';
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
export class Place implements Queued<Place>, Abortable {
  ahead: Place | null = null;
  behind: Place | null = null;
  readonly tenant: string | null;
  readonly signal: EndSignal | null;
  /** When it joined the line, in milliseconds of `process.hrtime`; 0 where it never stood in one. */
  readonly joinedAt: number;
  /** Ends its patience. */
  timer: NodeJS.Timeout | undefined;
  /** How long it stood in line, in milliseconds, once it is let in. */
  waitedMs = 0;
  readonly #gate: PlaceGate;
  #state: 'waiting' | 'in' | 'out';
  #refusal: { error: unknown } | undefined;
  #settle: Settle | undefined;

  /** @param isIn whether it is let in at once */
  constructor(gate: PlaceGate, tenant: string | null, signal: EndSignal | null, isIn: boolean) {
    this.#gate = gate;
    this.tenant = tenant;
    this.signal = signal;
    this.#state = isIn ? 'in' : 'waiting';
    this.joinedAt = isIn ? 0 : now();
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

  /** The gate's word: it is its turn. */
  letIn(): void {
    this.waitedMs = now() - this.joinedAt;
    this.#state = 'in';
    this.#settle?.resolve();
  }

  /** The gate's word: it has waited in vain. */
  refuse(error: unknown): void {
    this.#state = 'out';
    this.#refusal = { error };
    this.#settle?.reject(error);
  }

  /** The caller does not want it any more. */
  abort(reason: unknown): void {
    if (this.#state === 'waiting') {
      this.#gate.onGivenUp(this, reason);
    }
  }

  /** The call has ended, in whatever way; may be called again. */
  leave(): void {
    const state = this.#state;
    this.#state = 'out';
    if (state === 'in') {
      this.#gate.onLeft();
    } else if (state === 'waiting') {
      this.#gate.onGivenUp(this, undefined);
    }
  }
}
