// One program from its start to its end: readers, timer, abort. How its process comes to be is the affair of `cold/` and
// `warm/`; what its end comes to, of `conclusion.ts`.
import { close } from 'node:fs';
import { SetupError } from '../errors';
import { native, type NativeJail } from '../native/addon';
import { now } from '../time/clock';
import { attemptOf, type Attempt } from './attempt';
import { Callbacks } from './callbacks';
import { conclude, type Ended, type RunResult } from './conclusion';
import { InputWriter } from './input';
import type { StopReason } from './outcome';
import type { Outputs } from './outputs';
import { boundRealtime } from './realtime';
import type { Note, RunCall, RunPlan } from './run-call';

// How long the launcher may take to end the jail and to report, before it is killed itself.
const STOP_GRACE_MS = 500;
// A set-up that takes longer hangs, on a dead network file system for instance.
const SETUP_LIMIT_MS = 120_000;

/**
 * Closes a descriptor of a jail's directory in the thread pool: whoever closes the last one frees all that is in it, which
 * takes tens of milliseconds for as many thousand files.
 */
async function closeElsewhere(descriptor: number): Promise<void> {
  native().addon.disown(descriptor);
  await new Promise<void>((resolve) => {
    close(descriptor, () => {
      resolve();
    });
  });
}

/** A program that is started or about to be. */
export class Run {
  readonly #call: RunCall;
  readonly #plan: RunPlan;
  readonly #calledAt: number;
  readonly #jail: NativeJail;
  readonly #stdin: InputWriter;
  readonly #outputs: Outputs;
  readonly #callbacks: Callbacks;
  readonly #ended: Promise<Ended>;
  #settle: (ended: Ended) => void = () => undefined;
  #startedMs: number | undefined;
  #directory = '';
  readonly #attempts: Attempt[] = [];
  #endedMs = 0;
  #isOver = false;
  #stopped: StopReason | undefined;
  #failure: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param calledAt when the call had its turn, in milliseconds of `process.hrtime` */
  constructor(jail: NativeJail, outputs: Outputs, call: RunCall, plan: RunPlan, calledAt: number) {
    this.#call = call;
    this.#plan = plan;
    this.#calledAt = calledAt;
    this.#jail = jail;
    this.#outputs = outputs;
    this.#ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const onOver = (): void => {
      this.#stop('output');
    };
    const onFailure = (error: unknown): void => {
      this.abandon(error);
    };
    const { output } = call.limits;
    this.#callbacks = new Callbacks(call, onFailure);
    const { onStdout, onStderr } = this.#callbacks;
    outputs.stdout.bound(output, { onOver, onFailure, onChunk: onStdout });
    outputs.stderr.bound(output, { onOver, onFailure, onChunk: onStderr });
    const { channel } = outputs;
    const { conversation } = call;
    channel?.bound(output, {
      ...{ onOver, onFailure },
      sift: conversation === undefined ? undefined : (chunk) => conversation.take(chunk),
      onKept: () => call.onChannel?.(channel.bytes()),
    });
    this.#stdin = new InputWriter(jail.stdin, call.stdin, onFailure);
    // Not AbortSignal.any: its result would be held as long as the longest-lived of them.
    for (const signal of call.signals ?? []) {
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  readonly #onAbort = (): void => {
    this.abandon(this.#call.signals?.find(({ aborted }) => aborted)?.reason);
  };

  /** Gives the set-up up where it takes too long; to be called where it has yet to begin. */
  boundSetup(): void {
    this.#timer = setTimeout(() => {
      this.abandon(
        new SetupError('make the jail', 0, {
          detail: `it was not ready after ${SETUP_LIMIT_MS / 1000} s`,
        }),
      );
    }, SETUP_LIMIT_MS);
  }

  /** To be called when the program's first instruction runs. */
  started(startedMs: number, directory: string): void {
    this.#startedMs = startedMs;
    this.#directory = directory;
    if (this.#stopped === undefined && this.#failure === undefined) {
      clearTimeout(this.#timer);
      this.#timer = boundRealtime(this.#call.limits, startedMs, (seconds) => {
        this.#stop('time');
        this.note('warn', `killing the program, it ran too long: ${seconds}s`);
      });
    }
    this.note('info', `the program runs in ${directory}`);
  }

  /** To be called when the program of an explained call has failed to do something. */
  attempted(event: Parameters<typeof attemptOf>[0]): void {
    this.#attempts.push(attemptOf(event));
  }

  /** Tells the caller's logger. To be called last, whatever it is about: the logger may throw. */
  get note(): Note {
    return this.#callbacks.note;
  }

  /** To be called when every process of the program is dead. */
  ended(event: Ended): void {
    this.#endedMs = now();
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#call.conversation?.end();
    // Whatever comes of it, the call must not wait for ever.
    this.#callbacks.attempt(() => {
      this.#outputs.drain();
    });
    this.#settle(event);
  }

  #stop(reason: StopReason): void {
    this.#stopped ??= reason;
    this.#call.conversation?.end();
    if (this.#isOver) {
      return;
    }
    const { addon } = native();
    addon.stop(this.#jail.id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#kill();
    }, STOP_GRACE_MS);
  }

  /** Ends it; its call rejects with this error. */
  abandon(error: unknown): void {
    this.#failure ??= { error };
    this.#call.conversation?.end();
    this.#kill();
  }

  // Twice: without namespaces the first asks the launcher to end what it alone knows of.
  #kill(): void {
    if (this.#isOver) {
      // Only its outputs are still read.
      return;
    }
    const { addon } = native();
    addon.kill(this.#jail.id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      addon.kill(this.#jail.id);
    }, STOP_GRACE_MS);
  }

  /** Waits until nothing of the jail is left. */
  async finish(): Promise<RunResult> {
    const ended = await this.#ended;
    // Whatever fails before it is waited for, nobody else waits for it.
    ended.cgroup?.catch(() => undefined);
    try {
      this.#stdin.destroy();
      if (!this.#outputs.haveEnded) {
        await this.#outputs.ended();
      }
      this.#callbacks.end();
      if (!this.#outputs.areJoined) {
        await this.#outputs.join();
      }
      const cgroup = ended.cgroup === undefined ? undefined : await ended.cgroup;
      if (this.#failure !== undefined) {
        throw this.#failure.error;
      }
      return await conclude({
        call: this.#call,
        plan: this.#plan,
        ended,
        cgroup,
        outputs: this.#outputs,
        attempts: this.#attempts,
        directory: this.#directory,
        calledAt: this.#calledAt,
        startedMs: this.#startedMs,
        endedMs: this.#endedMs,
        stopped: this.#stopped,
        note: this.note,
      });
    } finally {
      for (const signal of this.#call.signals ?? []) {
        signal.removeEventListener('abort', this.#onAbort);
      }
      if (ended.tmpDirectory >= 0) {
        await closeElsewhere(ended.tmpDirectory);
      }
    }
  }
}
