// One program from its start to its end: readers, timer, abort, ending, collected files. How its process
// comes to be is the affair of `cold/` and `warm/`.
import { close } from 'node:fs';
import { SetupError } from '../errors';
import type { Limits } from '../limits';
import { native, type NativeCgroupEnd, type NativeEvent, type NativeJail } from '../native/addon';
import { setupError } from '../native/failure';
import { readReport, type NativeReport } from '../native/report';
import { stepOf } from '../native/steps';
import { now } from '../time/clock';
import { collectError, collectFiles, collectLimit, type Collection } from './collect';
import { CollectError } from './collect-error';
import { attemptOf, type Attempt } from './attempt';
import type { Conversation } from './conversation';
import type { EndSignal } from './end-signal';
import { hintsOf } from './hints';
import { InputWriter, type Input } from './input';
import type { Remains } from './memory-failure';
import { endingOf, signalOf, wasOutOfMemory, type StopReason } from './outcome';
import { textOutputs, type OutputCallbacks, type TextOutputs } from './output-text';
import type { Outputs } from './outputs';
import type { JailResult } from './result';

function isAppArmor(mechanism: string): boolean {
  return mechanism.startsWith('apparmor:');
}

/** What a call decides of a run. */
export interface RunCall extends OutputCallbacks {
  limits: Limits;
  stdin?: Input | undefined;
  collect: readonly string[];
  /** Any of them ends the call; it then rejects with that one's reason. */
  signals?: readonly EndSignal[];
  /** Told all that has come on the result channel, whenever some has. */
  onChannel?: ((bytes: Buffer) => void) | undefined;
  /** What the program may ask, and who answers. */
  conversation?: Conversation | undefined;
  /** How long the call waited for its turn, in milliseconds. */
  queuedMs?: number | undefined;
  /** Told where the program runs and that it was killed for its time, as CodeJail logs it. */
  onNote?: ((level: 'info' | 'warn', message: string) => void) | undefined;
}

/** What its command decides of a run. */
export interface RunPlan {
  /** What its result says was in force. */
  mechanisms: readonly string[];
  /** Whether the program may execute others. */
  mayExec: boolean;
}

/** What a run gave, and what came on its result channel. */
export interface RunResult {
  result: JailResult;
  channel: Buffer;
  /**
   * Settles when nothing of the jail is left, which a caller's promise has to wait for; there is time for work
   * meanwhile. Missing where nothing is left already.
   */
  gone?: () => Promise<void>;
}

/** The addon's last word of a jail. */
export type Ended = Extract<NativeEvent, { type: 'ended' }>;

// How long the launcher may take to end the jail and to report, before it is killed itself.
const STOP_GRACE_MS = 500;
// A set-up that takes longer hangs, on a dead network file system for instance.
const SETUP_LIMIT_MS = 120_000;
const KILLED = -9;
const nothingCollected = (): Collection => ({ collected: [], uncollected: [] });

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
  readonly #listeners: TextOutputs;
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
    const { stdout, stderr } = (this.#listeners = textOutputs(call));
    outputs.stdout.bound(output, { onOver, onFailure, onChunk: this.#guard(stdout?.take) });
    outputs.stderr.bound(output, { onOver, onFailure, onChunk: this.#guard(stderr?.take) });
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

  // A callback of the caller's that throws fails the call, not the process.
  #guard(callback: ((chunk: Buffer) => void) | undefined): ((chunk: Buffer) => void) | undefined {
    return callback === undefined
      ? undefined
      : (chunk) => {
          this.#attempt(() => {
            callback(chunk);
          });
        };
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.abandon(error);
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
      this.#boundTime(startedMs);
    }
    this.note('info', `the program runs in ${directory}`);
  }

  /** To be called when the program of an explained call has failed to do something. */
  attempted(event: Parameters<typeof attemptOf>[0]): void {
    this.#attempts.push(attemptOf(event));
  }

  #boundTime(startedMs: number): void {
    const { realtime, extraTime } = this.#call.limits;
    if (realtime > 0) {
      this.#timer = setTimeout(
        () => {
          this.#stop('time');
          this.note('warn', `killing the program, it ran too long: ${realtime + extraTime}s`);
        },
        // A timer counts whole milliseconds, from when the event loop's turn began: never too short.
        Math.max(0, Math.ceil(startedMs + (realtime + extraTime) * 1000 - now()) + 1),
      );
    }
  }

  /** Tells the caller's logger. To be called last, whatever it is about: the logger may throw. */
  note(level: 'info' | 'warn', message: string): void {
    this.#attempt(() => {
      this.#call.onNote?.(level, message);
    });
  }

  /** To be called when every process of the program is dead. */
  ended(event: Ended): void {
    this.#endedMs = now();
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#call.conversation?.end();
    // Whatever comes of it, the call must not wait for ever.
    this.#attempt(() => {
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
      this.#attempt(() => {
        this.#listeners.stdout?.end();
        this.#listeners.stderr?.end();
      });
      if (!this.#outputs.areJoined) {
        await this.#outputs.join();
      }
      const cgroup = ended.cgroup === undefined ? undefined : await ended.cgroup;
      return await this.#conclude(ended, cgroup);
    } finally {
      for (const signal of this.#call.signals ?? []) {
        signal.removeEventListener('abort', this.#onAbort);
      }
      if (ended.tmpDirectory >= 0) {
        await closeElsewhere(ended.tmpDirectory);
      }
    }
  }

  /** A launcher that was killed has not said whether the profile was in force to the end. */
  #inForce(report: NativeReport | undefined): readonly string[] {
    const { mechanisms } = this.#plan;
    if (report?.profileLost === false) {
      return mechanisms;
    }
    const [profile] = mechanisms.filter(isAppArmor);
    if (report !== undefined && profile !== undefined) {
      this.note(
        'warn',
        `the profile ${profile} was removed or changed while the program ran, which was not confined by it from then on`,
      );
    }
    return mechanisms.filter((name) => !isAppArmor(name));
  }

  /** What a program that failed has left. */
  #remains(): Remains {
    const { stdout, stderr } = this.#outputs;
    const isWarm = this.#plan.mechanisms.includes('warm');
    return { stdout: stdout.bytes(), stderr: stderr.bytes(), isWarm };
  }

  /** Why it failed, where it did. */
  #hints(
    end: Pick<JailResult, 'status' | 'outcome' | 'exceeded'>,
    report: NativeReport | undefined,
  ): JailResult['hints'] {
    return end.status === 0 && end.outcome === 'exited'
      ? []
      : hintsOf({
          ...end,
          signal: signalOf(end.status),
          ...{ report, limits: this.#call.limits, stderr: this.#outputs.stderr.bytes() },
          directory: this.#directory,
          mayExec: this.#plan.mayExec,
          attempts: this.#attempts,
        });
  }

  async #conclude(ended: Ended, cgroup: NativeCgroupEnd | undefined): Promise<RunResult> {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
    if (ended.failure !== undefined) {
      // A cell's call has begun when its files are written; only what supervises fails later.
      const step = stepOf(ended.failure.stepNumber);
      throw setupError(ended.failure, this.#startedMs !== undefined && step === 'supervise');
    }
    const report = ended.report === undefined ? undefined : readReport(ended.report);
    const wasKilled = this.#stopped !== undefined || wasOutOfMemory(cgroup);
    if (this.#startedMs === undefined || (report === undefined && !wasKilled)) {
      throw new SetupError('supervise', 0, {
        hasStarted: this.#startedMs !== undefined,
        detail:
          (cgroup?.oomKills ?? 0) > 0
            ? "memory ran out outside of the jail, on the host or in the server's own cgroup"
            : `the launcher ended unexpectedly, with status ${ended.launcherStatus ?? '?'}`,
      });
    }
    const wallMs = Math.max(0, this.#endedMs - this.#startedMs);
    const { stdout, stderr, channel } = this.#outputs;
    const { limits } = this.#call;
    const ending = endingOf(this.#outputs.areOver ? 'output' : this.#stopped, report, limits, {
      wallMs,
      outputBytes: this.#outputs.mostSeen,
      cgroup,
      remains: report?.status === 0 ? undefined : this.#remains(),
    });
    const status = report?.status ?? KILLED;
    const setupMs = Math.max(0, this.#startedMs - this.#calledAt);
    const confinement = this.#inForce(report);
    const resultOf = (
      { outcome, exceeded }: Pick<JailResult, 'outcome' | 'exceeded'>,
      { collected, uncollected }: Collection,
    ): RunResult => ({
      channel: channel?.bytes() ?? Buffer.alloc(0),
      result: {
        status,
        signal: signalOf(status),
        ...{ outcome, exceeded },
        attempts: this.#attempts,
        hints: this.#hints({ status, outcome, exceeded }, report),
        stdout: stdout.bytes(),
        stderr: stderr.bytes(),
        usage: {
          wallMs,
          queuedMs: this.#call.queuedMs ?? 0,
          setupMs,
          userMs: report?.userMs ?? cgroup?.userMs ?? 0,
          systemMs: report?.systemMs ?? cgroup?.systemMs ?? 0,
          cpuMs: report?.cpuMs ?? (cgroup?.userMs ?? 0) + (cgroup?.systemMs ?? 0),
          maxRssBytes: report?.peakRssBytes ?? cgroup?.peakBytes ?? 0,
        },
        ...{ collected, uncollected },
        confinement: [...confinement],
      },
    });
    if (this.#call.collect.length === 0) {
      return resultOf(ending, nothingCollected());
    }
    if (ended.tmpDirectory < 0) {
      if (report === undefined) {
        // Who had it was killed before it could hand it over.
        return resultOf(ending, { collected: [], uncollected: [{ path: '.', why: 'vanished' }] });
      }
      throw new CollectError(0, resultOf(ending, nothingCollected()).result, {
        detail: 'the directory of the program was not handed over',
      });
    }
    const limit = collectLimit(limits);
    try {
      const found = await collectFiles(ended.tmpDirectory, this.#call.collect, limit.allowed);
      return found === undefined
        ? resultOf(
            { outcome: 'output-limit', exceeded: { ...limit, measured: null } },
            nothingCollected(),
          )
        : resultOf(ending, found);
    } catch (cause) {
      throw collectError(cause, resultOf(ending, nothingCollected()).result);
    }
  }
}
