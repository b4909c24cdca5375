// The gate of one jail: how many calls run at a time, how many wait, and for how long; in order, and in turn between
// tenants. Whatever way a call goes inside, cold, warm or unconfined, it goes through here first.
import { BusyError, type BusyReason } from './busy-error';
import type { BoundArguments, BoundChanges } from '../options/types';
import type { EndSignal } from '../run/end-signal';
import { now } from '../time/clock';
import { FairQueue } from './fair-queue';
import { Place, type PlaceGate } from './place';
import { processGate, type Entrance, type ProcessGate } from './process-gate';
import { QueueCounts, type QueueEvent, type QueueStatistics } from './queue-statistics';

/** As many as a server may have asked for at once and still get, at some 4 KB each. */
export const DEFAULT_MAX_QUEUE = 10_000;

/** What a gate knows of its jail. */
export interface GateOptions {
  bounds: BoundArguments;
  /** How many uids there are for its programs; asked at the first need, and after `reconsider`. */
  uids?: () => number;
  process?: ProcessGate;
  onEvent?: (event: QueueEvent) => void;
}

const MOST_SHOWN_TENANTS = 10;

/** Lets a jail's calls in, each when it is its turn. */
export class Gate implements Entrance, PlaceGate {
  ahead: Entrance | undefined;
  behind: Entrance | undefined;
  readonly #process: ProcessGate;
  readonly #uids: () => number;
  readonly #onEvent: (event: QueueEvent) => void;
  readonly #queue = new FairQueue<Place>();
  readonly #counts = new QueueCounts();
  #bounds: BoundArguments;
  #usual: number | undefined;
  #running = 0;
  #closed: { error: Error } | undefined;

  constructor({ bounds, uids, process, onEvent }: GateOptions) {
    this.#process = process ?? processGate;
    this.#uids = uids ?? (() => Number.POSITIVE_INFINITY);
    this.#onEvent = onEvent ?? (() => undefined);
    this.#bounds = bounds;
    this.#process.claim(undefined, bounds.maxRunning);
  }

  /** How many calls may run at a time. */
  get maxRunning(): number {
    return (
      this.#bounds.maxRunning ??
      (this.#usual ??= Math.max(1, Math.min(this.#process.capacity.usual, this.#uids())))
    );
  }

  /** How many may wait. */
  get maxQueue(): number {
    return this.#bounds.maxQueue ?? DEFAULT_MAX_QUEUE;
  }

  /** How long each may wait, in milliseconds; 0: as long as it takes. */
  get maxWaitMs(): number {
    return this.#bounds.maxWaitMs ?? 0;
  }

  /** @internal */
  get isEager(): boolean {
    return this.#queue.size > 0 && this.#running < this.maxRunning;
  }

  /** Sets what is named; null puts the default back. Calls that wait keep the time that they were given. */
  setBounds(changes: BoundChanges): void {
    const before = this.#bounds;
    const { maxRunning, maxQueue, maxWaitMs } = { ...before, ...changes };
    this.#bounds = {
      maxRunning: maxRunning ?? undefined,
      maxQueue: maxQueue ?? undefined,
      maxWaitMs: maxWaitMs ?? undefined,
    };
    if (this.#closed === undefined) {
      this.#process.claim(before.maxRunning, this.#bounds.maxRunning);
    }
    this.#process.review(this);
  }

  /** How many uids there are may have changed. */
  reconsider(): void {
    this.#usual = undefined;
    this.#process.review(this);
  }

  /**
   * Asks for a call to be let in. Whatever comes of it, `leave` of its place has to be called.
   * @param tenant whose call it is
   * @param signal ends its wait; not aborted yet
   * @throws BusyError where as many wait as may; ClosedError
   */
  enter(tenant: string | undefined, signal: EndSignal | undefined): Place {
    this.throwIfClosed();
    if (this.#queue.size === 0 && this.#running < this.maxRunning && this.#process.isOpen) {
      this.#running += 1;
      this.#process.enter();
      return new Place(this, tenant, signal, true);
    }
    if (this.#queue.size >= this.maxQueue) {
      this.#makeRoom(tenant);
    }
    const place = new Place(this, tenant, signal, false);
    this.#queue.join(place);
    const patienceMs = this.maxWaitMs;
    if (patienceMs > 0) {
      place.boundWait(patienceMs, () => {
        this.#refuse(place, 'waited-too-long');
      });
    }
    this.#tell('waits', place.tenant, 0);
    this.#process.review(this);
    return place;
  }

  /** @throws what `close` or `refuseLater` was given */
  throwIfClosed(): void {
    if (this.#closed !== undefined) {
      throw this.#closed.error;
    }
  }

  /** Refuses later calls. Those that wait get their turn. */
  refuseLater(error: Error): void {
    if (this.#closed === undefined) {
      this.#closed = { error };
      this.#process.claim(this.#bounds.maxRunning, undefined);
    }
  }

  /** The same, and those that wait are refused too. */
  close(error: Error): void {
    this.refuseLater(error);
    for (const place of this.#queue.empty()) {
      this.#gaveUp(place, error);
    }
    this.#process.review(this);
  }

  stats(): QueueStatistics {
    const { maxRunning, maxQueue, maxWaitMs } = this;
    const oldest = this.#queue.oldest((one, other) =>
      other.joinedAt < one.joinedAt ? other : one,
    );
    return {
      ...{ running: this.#running, waiting: this.#queue.size },
      ...{ maxRunning, maxQueue, maxWaitMs },
      process: { running: this.#process.running, maxRunning: this.#process.maxRunning },
      longestWaitMs: oldest === undefined ? 0 : now() - oldest.joinedAt,
      tenants: this.#queue.tenants,
      busiestTenants: this.#queue.greatest(MOST_SHOWN_TENANTS),
      ...this.#counts.read(),
    };
  }

  /** @internal */
  admit(): void {
    const place = this.#queue.take();
    if (place !== undefined) {
      this.#running += 1;
      this.#process.enter();
      place.letIn();
      this.#counts.begins(place.waitedMs);
      this.#tell('begins', place.tenant, place.waitedMs);
    }
  }

  /** @internal */
  onLeft(): void {
    this.#running -= 1;
    this.#counts.left(this.#queue.size > 0);
    this.#process.leave();
    this.#process.review(this);
  }

  /** @internal */
  onGivenUp(place: Place, error: unknown): void {
    this.#queue.leave(place);
    this.#gaveUp(place, error);
    this.#process.review(this);
  }

  #gaveUp(place: Place, error: unknown): void {
    this.#counts.abandoned();
    place.refuse(error);
    this.#tell('leaves', place.tenant, now() - place.joinedAt);
  }

  // A full queue is shared: who has most waiting yields to who has less, or one tenant would keep all others out.
  #makeRoom(tenant: string | undefined): void {
    const yielding = this.#queue.yielding(tenant);
    if (yielding === undefined) {
      throw this.#busy('queue-full', tenant, 0);
    }
    this.#refuse(yielding, 'queue-full');
  }

  #refuse(place: Place, reason: BusyReason): void {
    this.#queue.leave(place);
    place.refuse(this.#busy(reason, place.tenant, now() - place.joinedAt));
    this.#process.review(this);
  }

  /**
   * For what waits elsewhere before it comes here.
   * @param waiting how much waits there
   * @throws BusyError where that is as much as may
   */
  throwIfFull(waiting: number, tenant: string | undefined): void {
    if (waiting >= this.maxQueue) {
      throw this.#busy('queue-full', tenant, 0, waiting);
    }
  }

  #busy(
    reason: BusyReason,
    tenant: string | undefined,
    waitedMs: number,
    waiting = this.#queue.size,
  ): BusyError {
    const { maxRunning, maxQueue } = this;
    this.#counts.refused(reason);
    this.#tell('refused', tenant, waitedMs);
    return BusyError.of({
      ...{ reason, running: this.#running, waiting, maxRunning, maxQueue, waitedMs },
      retryAfterMs: this.#counts.retryAfterMs(waiting),
    });
  }

  #tell(type: QueueEvent['type'], tenant: string | undefined, waitedMs: number): void {
    this.#onEvent({
      type,
      tenant: tenant ?? null,
      waitedMs,
      running: this.#running,
      waiting: this.#queue.size,
    });
  }
}
