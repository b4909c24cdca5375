// One cold call: a new process, confined from its first instruction on, and nothing of it afterwards.
import { now } from './clock';
import { collectFiles, collectLimit, type CollectedFile } from './collect';
import type { Confinement } from './confinement';
import { explainCopyFailure } from './copy-failure';
import { SetupError } from './errors';
import { InputWriter, type Input } from './input';
import type { Limits } from './limits';
import { removeHostDirectory, sweepHostDirectories } from './host-directory';
import {
  native,
  SpecFlag,
  type Addon,
  type NativeEvent,
  type NativeFailure,
  type NativeJail,
  type NativeSpec,
} from './native';
import { endingOf, signalOf, type StopReason } from './outcome';
import { OutputReader } from './output';
import type { JailResult } from './result';
import type { HostView } from './runtime';
import { buildSpec, type SpecRequest } from './spec';

/** What a cold call is made of, checked and complete. */
export interface ColdCall extends SpecRequest {
  confinement: Confinement;
  view: HostView;
  limits: Limits;
  /** What every result says was in force. */
  mechanisms: readonly string[];
  stdin?: Input | undefined;
  collect: readonly string[];
  /** Any of them ends the call; it then rejects with that one's reason. */
  signals?: readonly AbortSignal[];
  onStdout?: ((chunk: Buffer) => void) | undefined;
  onStderr?: ((chunk: Buffer) => void) | undefined;
  /** Told where the program runs and that it was killed for its time, as CodeJail logs it. */
  onNote?: ((level: 'info' | 'warn', message: string) => void) | undefined;
}

/** What a call gave, and what came on its result channel. */
export interface ColdResult {
  result: JailResult;
  channel: Buffer;
}

type Ended = Extract<NativeEvent, { type: 'ended' }>;

// How long the launcher may take to end the jail and to report, before it is killed itself.
const STOP_GRACE_MS = 500;
// A set-up that takes longer hangs, on a dead network file system for instance.
const SETUP_LIMIT_MS = 120_000;
const KILLED = -9;

// The addon throws where this process may have no more descriptors or threads to make a jail with.
function spawned(
  addon: Addon,
  spec: NativeSpec,
  onEvent: (event: NativeEvent) => void,
): NativeJail {
  try {
    return addon.spawn(spec, onEvent);
  } catch (cause) {
    const { step, errno, syscall, message } = cause as Error & Partial<NativeFailure>;
    throw new SetupError(step ?? 'make the pipes', errno ?? 0, {
      syscall,
      detail: step === undefined ? message : undefined,
      cause,
    });
  }
}

class Run {
  readonly #call: ColdCall;
  readonly #calledAt: number;
  readonly #jail: NativeJail;
  readonly #hostDirectory: string | null;
  readonly #stdin: InputWriter;
  readonly #stdout: OutputReader;
  readonly #stderr: OutputReader;
  readonly #channel: OutputReader | undefined;
  readonly ended: Promise<Ended>;
  #startedMs: number | undefined;
  #endedMs = 0;
  #stopped: StopReason = null;
  #failure: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: ColdCall, calledAt: number) {
    this.#call = call;
    this.#calledAt = calledAt;
    const { addon } = native();
    let settle: (ended: Ended) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      settle = resolve;
    });
    const spec = buildSpec(call.confinement, call.view, call.limits, call);
    this.#hostDirectory = spec.onHost ? spec.directory : null;
    this.#jail = spawned(addon, spec.native, (event) => {
      if (event.type === 'started') {
        this.#onStarted(event.startedMs, spec.directory);
      } else {
        this.#endedMs = now();
        clearTimeout(this.#timer);
        settle(event);
      }
    });
    this.#timer = setTimeout(() => {
      this.#abandon(
        new SetupError('make the jail', 0, {
          detail: `it was not ready after ${SETUP_LIMIT_MS / 1000} s`,
        }),
      );
    }, SETUP_LIMIT_MS);
    const onOver = (): void => {
      this.#stop('output');
    };
    const { output } = call.limits;
    this.#stdout = new OutputReader(this.#jail.stdout, output, onOver, this.#guard(call.onStdout));
    this.#stderr = new OutputReader(this.#jail.stderr, output, onOver, this.#guard(call.onStderr));
    this.#channel =
      this.#jail.result < 0 ? undefined : new OutputReader(this.#jail.result, output, onOver);
    this.#stdin = new InputWriter(this.#jail.stdin, call.stdin, (error) => {
      this.#abandon(error);
    });
    // Not AbortSignal.any: its result would be held as long as the longest-lived of them.
    for (const signal of call.signals ?? []) {
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  // A callback of the caller's that throws fails the call, not the process.
  #guard(callback: ((chunk: Buffer) => void) | undefined): ((chunk: Buffer) => void) | undefined {
    return callback === undefined
      ? undefined
      : (chunk) => {
          try {
            callback(chunk);
          } catch (error) {
            this.#abandon(error);
          }
        };
  }

  readonly #onAbort = (): void => {
    this.#abandon(this.#call.signals?.find(({ aborted }) => aborted)?.reason);
  };

  #onStarted(startedMs: number, directory: string): void {
    this.#startedMs = startedMs;
    this.#call.onNote?.('info', `the program runs in ${directory}`);
    if (this.#stopped !== null || this.#failure !== undefined) {
      return;
    }
    clearTimeout(this.#timer);
    const { realtime } = this.#call.limits;
    if (realtime > 0) {
      this.#timer = setTimeout(
        () => {
          this.#call.onNote?.('warn', `killing the program, it ran too long: ${realtime}s`);
          this.#stop('time');
        },
        Math.max(0, startedMs + realtime * 1000 - now()),
      );
    }
  }

  #stop(reason: StopReason): void {
    this.#stopped ??= reason;
    const { addon } = native();
    addon.stop(this.#jail.id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#kill();
    }, STOP_GRACE_MS);
  }

  #abandon(error: unknown): void {
    this.#failure ??= { error };
    this.#kill();
  }

  // Twice: without namespaces the first asks the launcher to end what it alone knows of.
  #kill(): void {
    const { addon } = native();
    addon.kill(this.#jail.id);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      addon.kill(this.#jail.id);
    }, STOP_GRACE_MS);
  }

  /** Waits until nothing of the jail is left. */
  async finish(): Promise<ColdResult> {
    const ended = await this.ended;
    this.#stdin.destroy();
    await Promise.all([this.#stdout.ended, this.#stderr.ended, this.#channel?.ended]);
    for (const signal of this.#call.signals ?? []) {
      signal.removeEventListener('abort', this.#onAbort);
    }
    try {
      return await this.#conclude(ended);
    } finally {
      if (ended.tmpDirectory >= 0) {
        native().addon.closeDescriptor(ended.tmpDirectory);
      }
      if (this.#hostDirectory !== null) {
        await removeHostDirectory(this.#hostDirectory);
      }
    }
  }

  async #conclude(ended: Ended): Promise<ColdResult> {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
    if (ended.failure !== undefined) {
      throw setupError(ended.failure);
    }
    const { report } = ended;
    if (this.#startedMs === undefined || (report === undefined && this.#stopped === null)) {
      throw new SetupError('supervise', 0, {
        detail: `the launcher ended unexpectedly, with status ${ended.launcherStatus ?? '?'}`,
      });
    }
    const wallMs = Math.max(0, this.#endedMs - this.#startedMs);
    const outputs = [this.#stdout, this.#stderr, ...(this.#channel ? [this.#channel] : [])];
    const outputBytes = Math.max(...outputs.map(({ seen }) => seen));
    const { limits } = this.#call;
    let ending = endingOf(
      outputs.some(({ over }) => over) ? 'output' : this.#stopped,
      report,
      limits,
      { wallMs, outputBytes },
    );
    const collected = await this.#collect(ended.tmpDirectory);
    if (collected === null) {
      ending = {
        outcome: 'output-limit',
        exceeded: { ...collectLimit(limits), measured: null },
      };
    }
    const status = report?.status ?? KILLED;
    return {
      channel: this.#channel?.bytes() ?? Buffer.alloc(0),
      result: {
        status,
        signal: signalOf(status),
        ...ending,
        stdout: this.#stdout.bytes(),
        stderr: this.#stderr.bytes(),
        usage: {
          wallMs,
          setupMs: Math.max(0, this.#startedMs - this.#calledAt),
          userMs: report?.userMs ?? 0,
          systemMs: report?.systemMs ?? 0,
          maxRssBytes: report?.peakRssBytes ?? 0,
        },
        collected: collected ?? [],
        confinement: [...this.#call.mechanisms],
      },
    };
  }

  async #collect(directory: number): Promise<CollectedFile[] | null> {
    return this.#call.collect.length === 0 || directory < 0
      ? []
      : collectFiles(directory, this.#call.collect, collectLimit(this.#call.limits).allowed);
  }
}

function setupError(failure: NativeFailure): SetupError {
  return new SetupError(failure.step, failure.errno, {
    syscall: failure.syscall,
    detail: failure.detail,
  });
}

/**
 * Runs one program in a jail of its own.
 * @param calledAt when the caller called, in milliseconds of `process.hrtime`
 * @returns when every process of the jail is dead and reaped
 * @throws SetupError where a step failed and the program was not started; the signal's reason where
 *   the call was aborted; what a callback or the iterable of `stdin` threw
 */
export async function runCold(call: ColdCall, calledAt: number = now()): Promise<ColdResult> {
  if ((call.confinement.flags & SpecFlag.ownRoot) === 0) {
    await sweepHostDirectories();
  }
  for (const signal of call.signals ?? []) {
    signal.throwIfAborted();
  }
  try {
    return await new Run(call, calledAt).finish();
  } catch (error) {
    throw await explainCopyFailure(error, call.copies);
  }
}
