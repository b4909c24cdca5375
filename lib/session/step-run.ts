// One step from its first byte to its end: readers, timer, abort, functions of the server's.
import { HostCalls, type CheckedFunction } from '../functions/host-calls';
import { withLength, type JsonText } from '../json/text-buffers';
import type { Limits } from '../limits';
import { Callbacks } from '../run/callbacks';
import type { EndSignal } from '../run/end-signal';
import type { StopReason } from '../run/outcome';
import type { OutputCallbacks } from '../run/output-text';
import { boundRealtime } from '../run/realtime';
import type { Note } from '../run/run-call';
import { cpuMicroseconds } from '../spec/limits';
import { now } from '../time/clock';
import type { SessionCell } from '../warm/session-cell';
import type { Settled, Step } from './step';

/** What a step is run with. */
export interface StepCall extends OutputCallbacks {
  limits: Limits;
  signals: readonly EndSignal[];
  functions: readonly CheckedFunction[];
  slug: string | undefined;
  onNote: Note;
}

/** How a step has ended, as the server saw it. */
export interface StepRunEnd {
  settled: Settled;
  /** Why the server ended it, if it did. */
  stopped: StopReason | undefined;
  startedAt: number;
  endedAt: number;
}

// Written with the order itself, where it is not longer.
const SHORT_REQUEST = 16 * 1024;

/** A step that is run. */
export class StepRun {
  readonly #cell: SessionCell;
  readonly #step: Step;
  readonly #call: StepCall;
  readonly #callbacks: Callbacks;
  readonly #conversation: HostCalls | undefined;
  #stopped: StopReason | undefined;
  #failure: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(cell: SessionCell, step: Step, call: StepCall) {
    this.#cell = cell;
    this.#step = step;
    step.isBegun = true;
    this.#call = call;
    this.#conversation =
      call.functions.length === 0 ? undefined : new HostCalls(call.functions, call.slug);
    const { output } = call.limits;
    const onOver = (): void => {
      this.#stop('output');
    };
    const onFailure = (error: unknown): void => {
      this.#abandon(error);
    };
    this.#callbacks = new Callbacks(call, onFailure);
    const { onStdout, onStderr } = this.#callbacks;
    step.stdout.bound(output, { onOver, onFailure, onChunk: onStdout });
    step.stderr.bound(output, { onOver, onFailure, onChunk: onStderr });
    const conversation = this.#conversation;
    step.channel.bound(output, {
      ...{ onOver, onFailure },
      sift: conversation === undefined ? undefined : (chunk) => conversation.take(chunk),
    });
  }

  readonly #onAbort = (): void => {
    this.#abandon(this.#call.signals.find(({ aborted }) => aborted)?.reason);
  };

  #stop(reason: StopReason): void {
    this.#stopped ??= reason;
    this.#drop();
  }

  #abandon(error: unknown): void {
    this.#failure ??= { error };
    this.#drop();
  }

  #drop(): void {
    this.#conversation?.end();
    if (!this.#isOver) {
      this.#cell.drop(this.#step.id);
    }
  }

  /**
   * Runs it until its code, or its last process, has ended.
   * @throws what it was aborted with, or what a callback threw: nothing of it is left then
   */
  async run(request: JsonText): Promise<StepRunEnd> {
    const { signals } = this.#call;
    for (const signal of signals) {
      signal.throwIfAborted();
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    const startedAt = now();
    try {
      this.#begin(request);
      this.#timer = boundRealtime(this.#call.limits, startedAt, (seconds) => {
        this.#stop('time');
        this.#callbacks.note('warn', `killing the step, it ran too long: ${seconds}s`);
      });
      let settled = await this.#step.settled;
      if (this.#stopped !== undefined || this.#failure !== undefined) {
        settled = await this.#step.gone;
      }
      this.#isOver = true;
      const endedAt = now();
      this.#callbacks.end();
      if (this.#failure !== undefined) {
        this.#cell.drop(this.#step.id);
        await this.#step.gone;
        throw this.#failure.error;
      }
      for (const reader of [this.#step.stdout, this.#step.stderr, this.#step.channel]) {
        reader.end();
        if (!reader.isJoined) {
          await reader.join();
        }
      }
      return { settled, stopped: this.#stopped, startedAt, endedAt };
    } finally {
      this.#isOver = true;
      clearTimeout(this.#timer);
      this.#conversation?.end();
      for (const signal of signals) {
        signal.removeEventListener('abort', this.#onAbort);
      }
    }
  }

  #begin(request: JsonText): void {
    const { id, head, descriptor } = this.#step;
    const isShort = typeof request === 'string' && request.length <= SHORT_REQUEST;
    const text = isShort ? `${Buffer.byteLength(request)}\n${request}` : '';
    const left = this.#cell.begin(id, head, cpuMicroseconds(this.#call.limits), descriptor, text);
    const rest =
      left > 0 ? [Buffer.from(text).subarray(-left)] : isShort ? [] : withLength(request);
    const conversation = this.#conversation;
    if (conversation === undefined) {
      this.#step.request.finish(Buffer.alloc(0), rest);
      return;
    }
    if (rest.length > 0) {
      this.#step.request.write(rest);
    }
    conversation.begin((answer, onWritten) => {
      this.#step.request.write(answer, onWritten);
    });
  }
}
