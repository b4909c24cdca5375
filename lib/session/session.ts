// A session: a head of its jail, whose steps run in turn.
import { constants } from 'node:os';
import { ClosedError, SessionLostError, SetupError } from '../errors';
import { jsonOf } from '../exec/conclusion';
import type { CheckedFunction } from '../functions/host-calls';
import type { Place } from '../gate/place';
import { withLength, type JsonText } from '../json/text-buffers';
import { requireCode } from '../options/exec';
import { requireRoom } from '../options/room';
import type { EndSignal } from '../run/end-signal';
import { now } from '../time/clock';
import { readStepAnswer } from './answer';
import { OwnFiles } from './files';
import { SessionLife } from './life';
import { parseStepOptions, type StepArguments } from './options';
import { encodeFile, encodeStep, FORK_REQUEST } from './request';
import { MOST_AT_A_TIME, MOST_HEADS, type SessionJail } from './session-jail';
import type { Step, StepEnd } from './step';
import { stepResult, type Unkept } from './step-result';
import { StepRun, type StepCall, type StepRunEnd } from './step-run';
import type { SessionPlan, SessionSurroundings } from './surroundings';
import { Turns } from './turns';
import type { Session, SessionFiles, StepOptions, StepResult } from './types';

interface Turn {
  step: Step;
  place: Place;
  signals: readonly EndSignal[];
  beganAt: number;
}

/** One head, as its caller knows it. */
export class HeadSession implements Session {
  readonly files: SessionFiles;
  readonly #jail: SessionJail;
  readonly #plan: SessionPlan;
  readonly #surroundings: SessionSurroundings;
  readonly #head: number;
  readonly #turns = new Turns(MOST_AT_A_TIME);
  readonly #life: SessionLife;
  #next: Step | undefined;
  #steps = 0;
  #isBranchable = true;

  constructor(jail: SessionJail, plan: SessionPlan, surroundings: SessionSurroundings) {
    this.#jail = jail;
    this.#plan = plan;
    this.#surroundings = surroundings;
    this.#head = jail.addHead(() => {
      this.#lose();
    });
    this.#life = new SessionLife(plan, surroundings, () => {
      jail.closeHead(this.#head);
    });
    this.files = new OwnFiles(
      jail,
      plan.limits.output,
      () => {
        this.#life.throwIfOver();
      },
      async (path, content) => this.#write(path, content),
    );
  }

  /** Its number in its jail. */
  get head(): number {
    return this.#head;
  }

  get isOpen(): boolean {
    return this.#life.over === undefined;
  }

  get lost(): SessionLostError | null {
    const { over } = this.#life;
    return over instanceof SessionLostError ? over : null;
  }

  /**
   * Waits until its state is there; the fork for the first step is made meanwhile, and after.
   * @param calledAt when the caller asked for it
   * @throws SetupError, SessionLostError; what it was ended with meanwhile
   */
  async begin(calledAt: number): Promise<void> {
    this.#next = this.#jail.prepare(this.#head);
    try {
      await this.#jail.begun();
    } catch (error) {
      throw this.#life.reasonOf(error);
    }
    this.#life.throwIfOver();
    this.#life.open(calledAt);
  }

  /** Its state is gone. */
  #lose(): void {
    const lost = this.#jail.lost ?? new SessionLostError('ended');
    this.#life.end(lost, lost.reason);
  }

  async #working<T>(work: () => Promise<T>): Promise<T> {
    return this.#life.working(async () =>
      this.#surroundings.track(async () => this.#jail.holding(work)),
    );
  }

  async run(code: string, options?: StepOptions): Promise<StepResult> {
    const calledAt = now();
    requireCode(code);
    const args = parseStepOptions(options);
    const limits = Object.freeze({ ...this.#plan.limits, ...args.limits });
    requireRoom(args, limits);
    this.#life.throwIfOver();
    args.signal?.throwIfAborted();
    return this.#working(async () => {
      const globalsJson = await jsonOf(args.globals);
      return this.#inTurn(args.keep === 'never', args.signal, async (turn) =>
        this.#told(args, turn, async () => {
          const functions = this.#functionsOf(args);
          this.#steps += 1;
          const request = await encodeStep({
            ...{ code, globalsJson, functions, get: args.get },
            name: `<step ${this.#steps}>`,
            isApart: args.keep === 'never',
          });
          const { step, place, beganAt } = turn;
          const slug = args.slug ?? this.#plan.slug;
          const { end, run } = await this.#runIn(turn, request, {
            ...args,
            ...{ limits, functions, slug },
          });
          const { result, isWhole } = await this.#jail.withDirectory(async (tmpDirectory) =>
            stepResult({
              ...{ step, end, run, limits, collect: args.collect, tmpDirectory },
              directory: this.#plan.directory,
              mechanisms: this.#plan.mechanisms,
              queuedMs: place.waitedMs,
              setupMs: Math.max(0, run.startedAt - Math.max(beganAt, calledAt)),
            }),
          );
          const isKept =
            isWhole &&
            result.outcome === 'exited' &&
            (args.keep === 'always' || (args.keep === 'on-success' && result.exception === null));
          return this.#conclude(step, result, isKept, end.isBranchable);
        }),
      );
    });
  }

  /** Runs what a fork is told, in a turn. */
  async #runIn(
    { step, signals }: Turn,
    request: JsonText,
    call: Omit<StepCall, 'signals' | 'onNote'>,
  ): Promise<{ run: StepRunEnd; end: StepEnd }> {
    const { signal } = this.#plan;
    const run = await new StepRun(this.#jail.cell, step, {
      ...call,
      signals: signal === undefined ? signals : [...signals, signal],
      onNote: (level, message) => {
        this.#surroundings.onNote(call.slug, level, message);
      },
    }).run(request);
    if (run.settled === 'lost') {
      throw this.#life.over ?? this.#jail.reasonOfLoss();
    }
    return { run, end: run.settled };
  }

  /** Has a fork write a file. It is the program's own then, and counts to its limits. */
  async #write(path: string, content: Uint8Array): Promise<number> {
    return this.#working(async () => {
      const request = await encodeFile(path, content);
      // A state that can't be forked does it itself.
      const isShared = this.#isBranchable;
      return this.#inTurn(isShared, undefined, async (turn) => {
        const { limits, slug } = this.#plan;
        const { end } = await this.#runIn(turn, request, { limits, slug, functions: [] });
        const answer = end.what === 'done' ? await readStepAnswer(turn.step.channel.bytes()) : '';
        if (isShared || typeof answer === 'string') {
          this.#jail.cell.drop(turn.step.id);
          await turn.step.gone;
        } else {
          this.#jail.keep(turn.step);
        }
        const errno = typeof answer === 'string' ? undefined : answer.globals['errno'];
        return typeof errno === 'number' ? errno : constants.errno.EIO;
      });
    });
  }

  /** The session's functions, and the step's own over them. */
  #functionsOf({ functions }: StepArguments): readonly CheckedFunction[] {
    const own = new Set(functions.map(({ name }) => name));
    return [...this.#plan.functions.filter(({ name }) => !own.has(name)), ...functions];
  }

  /** Counts a step, and tells of it. */
  async #told(
    { slug }: StepArguments,
    { place }: Turn,
    work: () => Promise<StepResult>,
  ): Promise<StepResult> {
    const beganAt = now();
    let result: StepResult | null = null;
    let error: unknown = null;
    this.#surroundings.onStepBegun();
    try {
      result = await work();
      return result;
    } catch (thrown) {
      error = this.#life.reasonOf(thrown);
      throw error;
    } finally {
      this.#surroundings.onStepEnded({
        slug: slug ?? this.#plan.slug ?? null,
        outcome: result?.outcome ?? 'rejected',
        ...{ result, error, milliseconds: now() - beganAt, queuedMs: place.waitedMs },
      });
    }
  }

  /** What a step that is done becomes, and its result. */
  async #conclude(
    step: Step,
    result: Unkept,
    isKept: boolean,
    isBranchable: boolean,
  ): Promise<StepResult> {
    if (isKept) {
      this.#jail.keep(step);
      this.#isBranchable = isBranchable;
      return { ...result, state: 'advanced', branchable: isBranchable };
    }
    this.#jail.cell.drop(step.id);
    const gone = await step.gone;
    if (gone === 'lost' || !gone.isBranchable) {
      const lost = new SessionLostError('ended', `its outcome was ${result.outcome}`);
      this.#life.end(lost, 'ended');
      if (this.#life.over !== undefined && !(this.#life.over instanceof SessionLostError)) {
        throw this.#life.over;
      }
      throw lost;
    }
    return { ...result, state: 'rolled back', branchable: this.#isBranchable };
  }

  /**
   * Waits for a turn and for a fork to run in. A next one is made as soon as the state is known.
   * @param isShared whether the state stays as it is
   */
  async #inTurn<T>(
    isShared: boolean,
    signal: AbortSignal | undefined,
    work: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const own = signal === undefined ? undefined : this.#surroundings.share(signal);
    if (this.#turns.hasToWait(isShared)) {
      this.#surroundings.throwIfFull(this.#turns.waiting);
    }
    const endTurn = await this.#turns.take(isShared, own);
    let place: Place | undefined;
    let step: Step | undefined;
    try {
      this.#life.throwIfOver();
      if (isShared) {
        this.#requireBranchable();
      }
      const entered = this.#surroundings.enter(signal);
      place = entered.place;
      const beganAt = place.isIn ? now() : await place.turn();
      step = this.#next ?? this.#jail.prepare(this.#head);
      this.#next = undefined;
      await this.#readyOf(step, own);
      if (isShared) {
        this.#prepareNext();
      }
      return await work({ step, place, signals: entered.signals, beganAt });
    } catch (error) {
      // One that was aborted before it began, or of which no result could be told, waits still.
      if (step !== undefined) {
        this.#jail.cell.drop(step.id);
      }
      throw this.#life.reasonOf(error);
    } finally {
      place?.leave();
      this.#prepareNext();
      endTurn();
    }
  }

  /** @throws the signal's reason, where it is aborted meanwhile */
  async #readyOf(step: Step, signal: EndSignal | undefined): Promise<void> {
    const onAbort = (): void => {
      this.#jail.cell.drop(step.id);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#jail.readyOf(step);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #requireBranchable(): void {
    if (!this.#isBranchable) {
      throw new SetupError('fork the state', 0, {
        detail:
          'a step has left threads or child processes, which no fork has (branchable: false): end them in a step, or run steps ' +
          "that are kept. A step with keep: 'never', and fork(), need a state that can be forked",
      });
    }
  }

  #prepareNext(): void {
    if (this.#life.over === undefined && this.#next === undefined) {
      try {
        this.#next = this.#jail.prepare(this.#head);
      } catch {
        // The next step tries again, and tells.
      }
    }
  }

  async fork(): Promise<Session> {
    const calledAt = now();
    this.#life.throwIfOver();
    return this.#working(async () =>
      this.#inTurn(true, undefined, async ({ step }) => {
        if (this.#jail.heads >= MOST_HEADS) {
          throw new SetupError('fork the session', 0, {
            detail: `${MOST_HEADS} sessions have this jail in common, as many as can: close one`,
          });
        }
        const forked = new HeadSession(this.#jail, this.#plan, this.#surroundings);
        this.#jail.cell.fork(step.id, this.#head, forked.head);
        step.request.finish(Buffer.alloc(0), withLength(FORK_REQUEST));
        // One that was ended meanwhile may have been so by a signal, which does not reach one that begins to listen now.
        if (!(await step.forked) || this.#life.over !== undefined) {
          await forked.close();
          throw this.#life.over ?? this.#jail.reasonOfLoss();
        }
        forked.#isBranchable = this.#isBranchable;
        forked.#steps = this.#steps;
        forked.#life.throwIfOver();
        forked.#prepareNext();
        forked.#life.open(calledAt);
        return forked;
      }),
    );
  }

  async close(): Promise<void> {
    const isLast = this.#life.over === undefined && this.#jail.heads === 1;
    this.#life.end(new ClosedError('session'), 'closed');
    if (isLast || this.#jail.heads === 0) {
      await this.#jail.gone;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
