// The session of a connection: opened at its first use, and again after it was lost.
import { SessionLostError, type Session } from '../index';

/** What a use gave. */
export interface Used<T> {
  given: T;
  /** Why the state of an earlier use is gone, where nobody was told yet; else undefined. */
  lost: SessionLostError | undefined;
}

/** Keeps one. */
export class KeptSession {
  readonly #open: () => Promise<Session>;
  readonly #told = new WeakSet<Session>();
  #opening: Promise<Session> | undefined;

  constructor(open: () => Promise<Session>) {
    this.#open = open;
  }

  /**
   * Uses it.
   * @throws what opening it throws, or the work; SessionLostError where it was lost meanwhile: the next use has a new one
   */
  async use<T>(work: (session: Session) => Promise<T>): Promise<Used<T>> {
    const { session, lost } = await this.#current();
    try {
      return { given: await work(session), lost };
    } catch (error) {
      if (error instanceof SessionLostError) {
        this.#told.add(session);
      }
      throw error;
    }
  }

  /** Ends it, where there is one, with all that runs in it. */
  async reset(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    // One that could not be opened was told to who asked for it.
    const session = await opening?.catch(() => undefined);
    await session?.close();
  }

  async #current(): Promise<{ session: Session; lost: SessionLostError | undefined }> {
    const opening = (this.#opening ??= this.#open());
    let session: Session | undefined;
    try {
      session = await opening;
    } finally {
      if (session?.isOpen !== true && this.#opening === opening) {
        this.#opening = undefined;
      }
    }
    if (session.isOpen) {
      return { session, lost: undefined };
    }
    const lost = this.#told.has(session) ? undefined : (session.lost ?? undefined);
    const current = await this.#current();
    return { session: current.session, lost: current.lost ?? lost };
  }
}
