// The templates of one pool, one after the other: a new one stands before the old one goes.
import { Backoff } from '../time/backoff';
import { now } from '../time/clock';
import type { Chores } from './chores';
import { Generation, type RecycleBounds, type RecycleReason } from './generation';
import type { MemoryGauge } from './memory-gauge';
import type { PoolEvent, PoolState } from './pool-statistics';
import type { ColdReason } from './rule';
import type { Template } from './template';

/** What `Templates` are made of. */
export interface TemplatesOptions {
  /** Starts a template; rejects where it can't be. */
  start: () => Promise<Template>;
  bounds: RecycleBounds;
  gauge: Pick<MemoryGauge, 'isShort'>;
  chores: Chores;
  onEvent: (event: PoolEvent) => void;
  onStanding: () => void;
  /** The current one is gone, and no other is there yet. */
  onGone: (reason: ColdReason) => void;
}

/** Keeps one template standing, and replaces it when it is due or dead. */
export class Templates {
  readonly #options: TemplatesOptions;
  readonly #backoff = new Backoff();
  readonly #ending = new WeakSet<Generation>();
  readonly #restarts: Partial<Record<RecycleReason, number>> = {};
  #current: Generation | undefined;
  #retired: Generation[] = [];
  #starting: Promise<void> | undefined;
  #closed = false;
  #starts = 0;
  #startMs = 0;

  constructor(options: TemplatesOptions) {
    this.#options = options;
  }

  get current(): Generation | undefined {
    return this.#current;
  }

  /** All, the oldest first. */
  get all(): readonly Generation[] {
    return this.#current === undefined ? this.#retired : [...this.#retired, this.#current];
  }

  get starts(): number {
    return this.#starts;
  }

  get restarts(): Partial<Record<RecycleReason, number>> {
    return { ...this.#restarts };
  }

  /** How long the latest took to start: what a cold call of the same imports would take. */
  get startMs(): number {
    return this.#startMs;
  }

  get state(): PoolState {
    if (this.#closed) return 'closed';
    if (this.#current !== undefined) return 'ready';
    if (this.#starting !== undefined) return 'starting';
    return this.#backoff.failures > 0 ? 'failed' : 'stopped';
  }

  /**
   * Starts one; several that ask at a time get the same.
   * @throws what kept it from starting
   */
  async start(reason?: RecycleReason): Promise<void> {
    this.#starting ??= this.#startOnce(reason).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Starts one where there is none, unless that has failed a moment ago. */
  startIfDue(): ColdReason {
    if (this.#starting === undefined && !this.#backoff.isDue()) {
      return 'failed';
    }
    this.start().catch(() => undefined);
    return 'starting';
  }

  async #startOnce(reason: RecycleReason | undefined): Promise<void> {
    const startedAt = now();
    let template;
    try {
      template = await this.#options.start();
    } catch (error) {
      this.#backoff.onFailure();
      this.#options.onEvent({ type: 'template-failed', error });
      throw error;
    }
    if (this.#closed) {
      await template.close();
      return;
    }
    this.#startMs = now() - startedAt;
    this.#starts += 1;
    if (reason !== undefined) {
      this.#countRestart(reason);
    }
    if (this.#current !== undefined) {
      this.#retired.push(this.#current);
    }
    const generation = new Generation(template);
    this.#current = generation;
    this.#options.onEvent({
      ...{ type: 'template-started', milliseconds: this.#startMs },
      reason: reason ?? null,
    });
    this.#options.chores.add(
      template.ended.then(() => {
        this.#onEnded(generation);
      }),
    );
    this.#options.onStanding();
  }

  #countRestart(reason: RecycleReason): void {
    this.#restarts[reason] = (this.#restarts[reason] ?? 0) + 1;
  }

  #onEnded(generation: Generation): void {
    const { cellsMade, startedAt } = generation.template;
    const ageMs = now() - startedAt;
    const expected = generation !== this.#current;
    generation.ready = [];
    this.#retired = this.#retired.filter((other) => other !== generation);
    this.#options.onEvent({ type: 'template-ended', expected, cellsMade, ageMs });
    if (!expected) {
      this.#replaceLost('death', ageMs);
    }
  }

  /** Retires the current one: its cells can't be made, or die before they are used. */
  giveUp(): void {
    if (this.#current !== undefined) {
      const { template } = this.#current;
      this.#retired.push(this.#current);
      this.#replaceLost('sick', now() - template.startedAt);
      this.closeRetired();
    }
  }

  #replaceLost(reason: RecycleReason, ageMs: number): void {
    this.#current = undefined;
    this.#backoff.onDeath(ageMs);
    this.#options.onGone('failed');
    if (this.#backoff.isDue() && !this.#closed) {
      this.start(reason).catch(() => undefined);
    }
  }

  /** Starts the successor of one that is due; it serves until that stands. */
  recycleIfDue(): void {
    if (this.#current === undefined || this.#starting !== undefined || this.#closed) {
      return;
    }
    const reason = this.#current.due(this.#options.bounds);
    // A second template needs memory: not while there is too little.
    if (reason !== undefined && this.#backoff.isDue() && !this.#options.gauge.isShort()) {
      this.start(reason).catch(() => undefined);
    }
  }

  /** Ends those that were retired and have no cell in use or waiting any more. */
  closeRetired(): void {
    for (const generation of this.#retired) {
      if (generation.isIdle() && !this.#ending.has(generation)) {
        this.#ending.add(generation);
        this.#options.chores.add(generation.template.close());
      }
    }
  }

  /** Starts none any more, and retires the current one. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting?.catch(() => undefined);
    if (this.#current !== undefined) {
      this.#retired.push(this.#current);
      this.#current = undefined;
    }
  }
}
