// A cell: a Python that was forked ahead of need, is confined as a cold call is, and runs one call.
import { SetupError } from '../errors';
import type { Limits } from '../limits';
import { native, type NativeEvent } from '../native/addon';
import { setupError, thrownByAddon } from '../native/failure';
import { throwIfAborted } from '../run/end-signal';
import { Outputs } from '../run/outputs';
import { RequestWriter } from '../run/request-writer';
import type { Ended, RunResult } from '../run/conclusion';
import { Run } from '../run/run';
import type { RunPlan } from '../run/run-call';
import type { Call } from '../spec/call';
import { PROGRAM_NAME, type JailFile } from '../spec/files';
import { now } from '../time/clock';
import { CellLostError } from './cell-lost';
import { CallKind, lastBytes, type Frame, type Frames } from './frame';
import { SessionCell, type SessionCall } from './session-cell';

/** A call that a cell can serve (`rule.ts`): without a request, `argv[0]` is run as Python runs a script. */
export interface WarmCall extends Call {
  /** Whether the native probe is run instead, with the words `argv`. */
  probe?: boolean;
}

/** One waiting cell. It serves one call and is dead afterwards. */
export interface Cell {
  /** Resolves when nothing of the cell is left, whether it served a call or not. */
  readonly dead: Promise<void>;
  /** The number of the processor that it waits on, where it will be woken up, as a rule; -1 where it is not known. */
  readonly processor: number;
  /** Tells it that its call is about to come, so that it is awake by then; it may come later, or never. */
  announce(): void;
  /**
   * Runs one call; to be called once.
   * @param calledAt when the caller called, in milliseconds of `process.hrtime`
   * @returns as `runCold`, when every process of the program is dead
   * @throws as `runCold`; CellLostError where the cell died before the call began
   */
  run(call: WarmCall, calledAt: number): Promise<RunResult>;
  /**
   * Begins a session; to be called once, in the place of `run`.
   * @throws CellLostError where the cell died before
   */
  openSession(call: SessionCall): SessionCell;
  /** Ends a cell that serves no call, and waits until nothing of it is left. */
  discard(): Promise<void>;
}

/**
 * Runs one call in a cell, and waits until nothing of the cell is left.
 * @returns and throws as `Cell.run`
 */
export async function runToEnd(cell: Cell, call: WarmCall): Promise<RunResult> {
  const run = await cell.run(call, now());
  await run.gone?.();
  return run;
}

function kindOf(call: WarmCall): Frame['kind'] {
  if (call.probe === true) {
    return CallKind.probe;
  }
  if (call.request === undefined) {
    return CallKind.script;
  }
  // Its first word, the program's name, the runner has since it stood ready.
  return call.argv.length > 1 ? CallKind.execWithWords : CallKind.exec;
}

/** The runner is in a cell's directory already. */
function callFiles({ files, request }: WarmCall): readonly JailFile[] {
  return request === undefined ? files : files.filter(({ name }) => name !== PROGRAM_NAME);
}

function lostBefore(what: 'call' | 'session'): CellLostError {
  return new CellLostError('make a cell', 0, { detail: `it ended before its ${what} began` });
}

const NO_WORDS: readonly string[] = [];
// Calls without a limit of them are cold (`rule.ts`).
const UNCOUNTED_FILES = 2 ** 32 - 1;
// A cell that is not ready by then hangs, or its host is far too busy for warm calls.
const READY_LIMIT_MS = 20_000;

/** A cell of a template. */
export class ForkedCell implements Cell {
  readonly dead: Promise<void>;
  /** Settles when it waits for its call; rejects where it can't be made. */
  readonly ready: Promise<void>;
  readonly #frames: Frames;
  readonly #plan: RunPlan;
  readonly #directory: string;
  readonly #jail: ReturnType<ReturnType<typeof native>['addon']['makeCell']>;
  readonly #outputs: Outputs;
  readonly #request: RequestWriter;
  #isReady = false;
  #isKilled = false;
  #processor = -1;
  #isDead = false;
  #isGone = false;
  #run: Run | undefined;
  #session: SessionCall | undefined;
  #settleDead: () => void = () => undefined;
  #settleReady: (failure?: SetupError) => void = () => undefined;

  /**
   * Asks the template for a cell.
   * @param spec as `CellSpecs` gives it
   * @param directory where its program runs
   * @throws SetupError where it can't be asked
   */
  constructor(
    template: number,
    spec: number,
    directory: string,
    frames: Frames,
    mechanisms: readonly string[],
  ) {
    this.#frames = frames;
    // In a cell every exec is denied.
    this.#plan = { mechanisms, mayExec: false };
    this.#directory = directory;
    this.dead = new Promise((resolve) => {
      this.#settleDead = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = (failure) => {
        clearTimeout(timer);
        if (failure === undefined) {
          resolve();
        } else {
          reject(failure);
        }
      };
    });
    try {
      this.#jail = native().addon.makeCell(template, spec, (event) => {
        this.#onEvent(event);
      });
    } catch (cause) {
      throw thrownByAddon(cause);
    }
    const timer = setTimeout(() => {
      this.#kill();
    }, READY_LIMIT_MS);
    this.#outputs = new Outputs(this.#jail);
    this.#request = new RequestWriter(this.#jail.request);
  }

  #onEvent(event: NativeEvent): void {
    if (event.type === 'ready') {
      if (this.#isKilled) {
        // It was on its way already. A call that began now could end with the cell, and nobody could tell how.
        return;
      }
      this.#isReady = true;
      this.#processor = event.processor;
      this.#hold(false);
      this.#settleReady();
    } else if (event.type === 'outputs') {
      this.#outputs.take(event);
    } else if (event.type === 'ended') {
      this.#onEnded(event);
    } else if (event.type === 'step' || event.type === 'stepOutputs' || event.type === 'session') {
      this.#session?.onEvent(event);
    } else if (event.type === 'gone') {
      this.#onGone();
    }
  }

  #onEnded(event: Ended): void {
    this.#isDead = true;
    this.#request.stop();
    if (!this.#isReady) {
      this.#settleReady(
        event.failure === undefined
          ? new SetupError('make a cell', 0, { detail: 'it ended before it was ready' })
          : setupError(event.failure),
      );
    }
    if (this.#run === undefined) {
      native().addon.closeDescriptor(this.#jail.stdin);
      this.#outputs.drain();
      this.#session?.onEnded(event);
    } else {
      this.#run.ended(event);
    }
  }

  #onGone(): void {
    if (this.#isGone) {
      return;
    }
    this.#isGone = true;
    // When the caller has its result.
    setImmediate(() => {
      native().addon.letGo(this.#jail.id);
      this.#request.close();
    });
    if (this.#outputs.haveEnded) {
      this.#settleDead();
    } else {
      this.#outputs.ended().then(this.#settleDead, this.#settleDead);
    }
  }

  async #gone(): Promise<void> {
    if (!this.#isGone && native().addon.isGone(this.#jail.id)) {
      this.#onGone();
    }
    return this.dead;
  }

  // A cell that waits for a call keeps no process alive; its call does, and so does who waits for its end.
  #hold(held: boolean): void {
    native().addon.holdLoop(this.#jail.id, held);
    this.#outputs.hold(held);
  }

  #kill(): void {
    this.#isKilled = true;
    native().addon.kill(this.#jail.id);
  }

  /**
   * Begins its call, or its session.
   * @param limits of all of it
   * @returns what is left to be written
   * @throws CellLostError where it is dead
   */
  #begin(
    frame: Frame,
    limits: Limits,
    wantsTmpDirectory: boolean,
  ): { rest: Buffer; pieces: readonly Buffer[] | undefined } {
    const { cpuMicroseconds, memoryBytes, rlimits } = this.#frames.limits(limits);
    const encoded = this.#frames.encode(frame);
    const isSession = frame.kind === CallKind.session;
    const left = native().addon.beginCall(
      this.#jail.id,
      cpuMicroseconds,
      memoryBytes,
      rlimits.RLIMIT_NOFILE ?? UNCOUNTED_FILES,
      wantsTmpDirectory,
      this.#jail.request,
      encoded.bytes,
      encoded.request,
      isSession,
    );
    if (left < 0) {
      this.#kill();
      throw lostBefore(isSession ? 'session' : 'call');
    }
    return { rest: lastBytes(encoded, left), pieces: encoded.pieces };
  }

  async run(call: WarmCall, calledAt: number): Promise<RunResult> {
    throwIfAborted(call.signals);
    if (this.#isDead || this.#isKilled || this.#run !== undefined) {
      throw lostBefore('call');
    }
    const { limits, request } = call;
    const kind = kindOf(call);
    const words = kind === CallKind.exec ? NO_WORDS : call.argv;
    const { rest, pieces } = this.#begin(
      { kind, limits, files: callFiles(call), words, request },
      limits,
      call.collect.length > 0,
    );
    // It runs. What follows is done meanwhile: nothing of it can be told before the event loop's next turn.
    const startedAt = now();
    this.#hold(true);
    const run = new Run(this.#jail, this.#outputs, call, this.#plan, calledAt);
    this.#run = run;
    try {
      this.#write(call, rest, pieces);
    } catch (error) {
      // The program would wait for the rest.
      run.abandon(error);
    }
    run.started(startedAt, this.#directory);
    try {
      const result = await run.finish();
      result.gone = async () => this.#gone();
      return result;
    } catch (error) {
      await this.#gone();
      throw error;
    }
  }

  openSession(call: SessionCall): SessionCell {
    if (this.#isDead || this.#isKilled || this.#run !== undefined) {
      throw lostBefore('session');
    }
    const { limits, files, request } = call;
    const { rest, pieces } = this.#begin(
      // Of the CPU each step has its own.
      { kind: CallKind.session, limits: { ...limits, cpu: 0 }, files, words: NO_WORDS, request },
      limits,
      true,
    );
    this.#hold(true);
    this.#session = call;
    this.#request.finish(rest, pieces);
    return new SessionCell(this.#jail.id, {
      dead: this.dead,
      directory: this.#directory,
      mechanisms: this.#plan.mechanisms,
      hold: (held) => {
        this.#hold(held);
      },
      kill: () => {
        this.#kill();
      },
    });
  }

  #write({ conversation }: WarmCall, rest: Buffer, pieces: readonly Buffer[] = []): void {
    if (conversation === undefined) {
      this.#request.finish(rest, pieces);
      return;
    }
    this.#request.write([rest, ...pieces].filter(({ length }) => length > 0));
    conversation.begin((answer, onWritten) => {
      this.#request.write(answer, onWritten);
    });
  }

  get processor(): number {
    return this.#processor;
  }

  announce(): void {
    // Not into the pipe of a call that runs.
    if (this.#run === undefined && !this.#isKilled && !this.#isDead) {
      native().addon.announceCall(this.#jail.request);
    }
  }

  /** Its template has ended: a cell that does not stand yet never will. */
  onTemplateEnded(): void {
    if (!this.#isReady) {
      this.#kill();
    }
  }

  async discard(): Promise<void> {
    if (this.#run === undefined) {
      this.#hold(true);
      this.#kill();
    }
    await this.dead;
  }
}
