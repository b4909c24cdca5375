// The jail of a session and of its branches: one cell, told apart by heads, with what comes of their steps.
import { SessionLostError, SetupError, type SessionLostReason } from '../errors';
import { native } from '../native/addon';
import { setupError } from '../native/failure';
import { readReport, Verdict } from '../native/report';
import type { Ended } from '../run/conclusion';
import { Deferred } from '../time/deferred';
import type { SessionCell, SessionEvent } from '../warm/session-cell';
import { Step } from './step';

/** As many heads have room in the jail's PID 1 (native/core/session.h), each with its state, its fork and steps. */
export const MOST_HEADS = 16;
/** How many steps of one head run at a time. */
export const MOST_AT_A_TIME = 32;
/** Of one jail the processes that wait, or run a step each: what programs start comes on top (native/core/session.h). */
export const OWN_PROCESSES = 2 * MOST_HEADS + MOST_AT_A_TIME;

// Whatever the host is busy with.
const LONGEST_FORK_MS = 20_000;

/** Knows the steps of all heads. */
export class SessionJail {
  #cell: SessionCell | undefined;
  readonly #steps = new Map<number, Step>();
  readonly #onLost: Map<number, () => void> = new Map();
  #lastStep = 0;
  #lastHead = 1;
  #hasLostHead = false;
  #holders = 0;
  #isDead = false;
  #lost: SessionLostError | undefined;
  #failure: SetupError | undefined;
  #tmpDirectory = -1;
  readonly #readers = new Set<Promise<unknown>>();
  readonly #begun = new Deferred<'begun' | 'lost'>();

  /** To be called once, with the cell that takes its orders. */
  begin(cell: SessionCell): void {
    this.#cell = cell;
  }

  get cell(): SessionCell {
    if (this.#cell === undefined) {
      throw new SetupError('open the session', 0, { detail: 'it has no process yet' });
    }
    return this.#cell;
  }

  /** Why there is none any more, where that is so. */
  get lost(): SessionLostError | undefined {
    return this.#lost;
  }

  /** How many heads are open. */
  get heads(): number {
    return this.#onLost.size;
  }

  /** A new head; told when it is lost. */
  addHead(onLost: () => void): number {
    const head = this.#lastHead;
    this.#lastHead += 1;
    this.#onLost.set(head, onLost);
    return head;
  }

  /** Ends a head; with the last one all of it. */
  closeHead(head: number): void {
    this.#onLost.delete(head);
    if (this.#onLost.size === 0) {
      this.#cell?.host.hold(true);
      this.#cell?.host.kill();
    } else {
      this.cell.closeHead(head);
    }
  }

  /** Ends all of it: nothing that runs in it can be told from its end. */
  abandon(error: SessionLostError): void {
    this.#lost ??= error;
    this.#cell?.host.kill();
  }

  /** Resolves when nothing of it is left. */
  get gone(): Promise<void> {
    return this.#cell?.host.dead ?? Promise.resolve();
  }

  /** Keeps this process alive until the work is done. */
  async holding<T>(work: () => Promise<T>): Promise<T> {
    this.#holders += 1;
    if (this.#holders === 1) {
      this.cell.host.hold(true);
    }
    try {
      return await work();
    } finally {
      this.#holders -= 1;
      if (this.#holders === 0 && !this.#isDead) {
        this.cell.host.hold(false);
      }
    }
  }

  /**
   * Has a fork of a head's state wait for a step.
   * @throws SetupError
   */
  prepare(head: number): Step {
    this.#lastStep += 1;
    const id = this.#lastStep;
    const step = new Step(id, head, this.cell.prepare(id, head));
    if (this.#isDead) {
      step.lose();
    } else {
      this.#steps.set(id, step);
    }
    return step;
  }

  /** A step that is done is its head's state from now on: nothing more comes of it. */
  keep(step: Step): void {
    this.cell.keep(step.id);
    this.#steps.delete(step.id);
    step.keep();
  }

  /**
   * Waits until a process waits for a step.
   * @throws SetupError where none could be made; SessionLostError
   */
  async readyOf(step: Step): Promise<void> {
    const ready = await this.#inTime(step.ready);
    if (ready === 'ready') {
      return;
    }
    if (ready === 'lost') {
      throw this.reasonOfLoss();
    }
    if (ready.errno !== 0) {
      throw new SetupError('fork the state', ready.errno, {
        syscall: 'clone',
        detail: 'the session has as many processes as its limit nproc allows, or the host has',
      });
    }
    throw ready.isBranchable
      ? new SetupError('fork the state', 0, {
          detail: 'the fork ended before it had anything to run',
        })
      : this.reasonOfLoss();
  }

  /** As an error. */
  reasonOfLoss(): Error {
    return this.#lost ?? this.#failure ?? new SessionLostError('killed');
  }

  /** Uses the descriptor of its `tmp`, -1 where there is none. */
  async withDirectory<T>(work: (directory: number) => Promise<T>): Promise<T> {
    const working = work(this.#tmpDirectory);
    this.#readers.add(working);
    try {
      return await working;
    } finally {
      this.#readers.delete(working);
    }
  }

  /**
   * Waits until its first state is there.
   * @throws SetupError, SessionLostError
   */
  async begun(): Promise<void> {
    if ((await this.#inTime(this.#begun.promise)) === 'lost') {
      throw this.reasonOfLoss();
    }
  }

  /** Ends all of it where something does not come. */
  async #inTime<T>(coming: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.abandon(new SessionLostError('hung'));
    }, LONGEST_FORK_MS);
    try {
      return await coming;
    } finally {
      clearTimeout(timer);
    }
  }

  readonly onEvent = (event: SessionEvent): void => {
    if (event.type === 'session') {
      this.#tmpDirectory = event.tmpDirectory;
    } else if (event.type === 'stepOutputs') {
      this.#takeOutputs(event);
    } else if (event.what === 'begun' && event.step === 0) {
      this.#begun.settle('begun');
    } else if (event.what === 'lost') {
      this.#hasLostHead = true;
      // With the last one all of it ends, and that says why.
      if (this.#onLost.size > 1) {
        this.#onLost.get(event.head)?.();
      }
    } else if (this.#steps.get(event.step)?.tell(event) === true) {
      this.#steps.delete(event.step);
    }
  };

  #takeOutputs(event: Extract<SessionEvent, { type: 'stepOutputs' }>): void {
    const step = this.#steps.get(event.step);
    if (step?.isBegun === false) {
      // Code has changed what waits for its step: it could print for ever, and nobody has set a bound yet.
      this.abandon(new SessionLostError('killed', 'it printed before it was told what to run'));
      return;
    }
    step?.take(event);
  }

  #reasonBy(verdict: number): SessionLostReason {
    switch (verdict) {
      case Verdict.memory:
        return 'memory';
      case Verdict.cpu:
        return 'cpu';
      default:
        return this.#hasLostHead ? 'ended' : 'killed';
    }
  }

  readonly onEnded = ({ failure, report }: Ended): void => {
    this.#isDead = true;
    const verdict = report === undefined ? Verdict.none : readReport(report).verdict;
    if (failure !== undefined) {
      this.#failure = setupError(failure);
    }
    this.#lost ??= new SessionLostError(
      this.#reasonBy(verdict),
      failure === undefined ? undefined : this.#failure?.message,
    );
    this.#begun.settle('lost');
    for (const step of this.#steps.values()) {
      step.lose();
    }
    this.#steps.clear();
    for (const onLost of [...this.#onLost.values()]) {
      onLost();
    }
    this.#onLost.clear();
    const directory = this.#tmpDirectory;
    this.#tmpDirectory = -1;
    void Promise.allSettled(this.#readers).then(() => {
      if (directory >= 0) {
        native().addon.closeDescriptor(directory);
      }
    });
  };
}
