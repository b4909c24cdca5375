// From a session's opening to its end: by its caller, its signal, its jail, idleness, or the loss of its state.
import { SessionLostError } from '../errors';
import { now } from '../time/clock';
import type { EndReason, SessionPlan, SessionSurroundings } from './surroundings';

/** Whether a session can be used, and why not. */
export class SessionLife {
  readonly #plan: Pick<SessionPlan, 'idleMs' | 'signal' | 'closing'>;
  readonly #told: Pick<SessionSurroundings, 'onOpened' | 'onOver'>;
  readonly #onEnd: () => void;
  #openedAt: number | undefined;
  #over: Error | undefined;
  #busy = 0;
  #idle: NodeJS.Timeout | undefined;

  /** @param onEnd ends what runs in it */
  constructor(
    plan: Pick<SessionPlan, 'idleMs' | 'signal' | 'closing'>,
    told: Pick<SessionSurroundings, 'onOpened' | 'onOver'>,
    onEnd: () => void,
  ) {
    this.#plan = plan;
    this.#told = told;
    this.#onEnd = onEnd;
    plan.signal?.addEventListener('abort', this.#onAbort, { once: true });
    plan.closing.addEventListener('abort', this.#onClosing, { once: true });
  }

  /** Why it is over; undefined while it is not. */
  get over(): Error | undefined {
    return this.#over;
  }

  throwIfOver(): void {
    if (this.#over !== undefined) {
      throw this.#over;
    }
  }

  /**
   * It can be used.
   * @param calledAt when its caller asked for it
   */
  open(calledAt: number): void {
    this.#openedAt = now();
    this.#boundIdle();
    this.#told.onOpened(this.#openedAt - calledAt);
  }

  /** Ends it, where it is not over yet. */
  end(error: Error, reason: EndReason): void {
    if (this.#over !== undefined) {
      return;
    }
    this.#over = error;
    clearTimeout(this.#idle);
    this.#plan.signal?.removeEventListener('abort', this.#onAbort);
    this.#plan.closing.removeEventListener('abort', this.#onClosing);
    this.#onEnd();
    if (this.#openedAt !== undefined) {
      this.#told.onOver(reason, now() - this.#openedAt);
    }
  }

  /** Does something, during which it is not idle. */
  async working<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    clearTimeout(this.#idle);
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#boundIdle();
    }
  }

  /** The error that tells most of why something of it failed. */
  reasonOf(error: unknown): unknown {
    const isLoss = error instanceof SessionLostError && error.reason === 'killed';
    return isLoss && this.#over !== undefined ? this.#over : error;
  }

  readonly #onAbort = (): void => {
    this.end(this.#plan.signal?.reason as Error, 'closed');
  };

  readonly #onClosing = (): void => {
    this.end(this.#plan.closing.reason as Error, 'closed');
  };

  #boundIdle(): void {
    clearTimeout(this.#idle);
    if (this.#plan.idleMs > 0 && this.#busy === 0 && this.#over === undefined) {
      this.#idle = setTimeout(() => {
        this.end(new SessionLostError('idle'), 'idle');
      }, this.#plan.idleMs);
      this.#idle.unref();
    }
  }
}
