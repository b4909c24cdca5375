// Where a call goes: to a warm cell where one may serve it, else into a new jail. Each is counted.
import { runCold } from '../cold/cold';
import type { Command, HostShare } from '../command/command';
import { ClosedError } from '../errors';
import type { QueueStatistics } from '../gate/queue-statistics';
import type { GuaranteeName } from '../guarantee-names';
import type { JsonText } from '../json/text-buffers';
import { sameDiskLimits, type DiskLimits, type Limits } from '../limits';
import { requirePython } from '../options/exec';
import type { Tell } from '../options/logger';
import type { RunArguments } from '../options/types';
import { parseWarm, type WarmArguments } from '../options/warm';
import type { ProbeCheck } from '../proof/probe';
import type { RunResult } from '../run/conclusion';
import type { EndSignal } from '../run/end-signal';
import type { Call } from '../spec/call';
import { CallStatistics, type JailStatistics } from '../statistics/calls';
import {
  publishCall,
  publishPoolEvent,
  publishSession,
  type CallMessage,
  type SessionMessage,
} from '../statistics/diagnostics';
import { now } from '../time/clock';
import type { Cell } from '../warm/cell';
import {
  COLD_REASONS,
  whyNotWarm,
  whyNotWarmAtAll,
  type ColdReason,
  type Demand,
} from '../warm/rule';
import { WarmCommand } from '../warm/warm-command';
import { abortable } from '../run/abortable';
import { primeEnd } from './end-rehearsal';

/** A call of a command's. */
export interface CommandCall extends Call, Demand {
  command: Command;
  slug?: string | undefined;
  /** Whether `announce` has told a cell of it. */
  isAnnounced?: boolean;
  /** Whether only a Python can run it. */
  isPython: boolean;
  /** What differs where a template has searched directories on the host already. */
  warm?: { copies: Call['copies']; request: () => JsonText } | undefined;
}

/** What a session wants of its cell. */
export interface SessionDemand {
  command: Command;
  limits: Limits;
  signals: readonly EndSignal[];
  /** The session's own environment. */
  env: Readonly<Record<string, string>>;
  /** Whether it has something of its own that a waiting cell lacks. */
  isOwn: boolean;
}

/** The options of a template that is one session's alone. */
const SESSION_WARM = parseWarm(true, 'warm') as WarmArguments;

/** What a dispatcher knows of its jail. */
export interface DispatcherOptions {
  share: HostShare;
  allowMissing: readonly GuaranteeName[];
  /** The jail's own limits now, with which cells are made. */
  limits: () => DiskLimits;
  logger: Tell;
}

/** Sends calls on their way, and keeps the pools of warm commands. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #warm = new Map<Command, WarmCommand>();
  /** What sessions are made by that have a template of their own. */
  readonly #own = new WeakMap<Command, WarmCommand>();
  readonly #statistics = new CallStatistics();
  readonly #closing = new Set<Promise<void>>();
  readonly #forgotten = new WeakSet<Command>();
  #isClosed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Tells that a call is about to come; its limits and files are not looked at yet.
   * @returns whether a cell was told, since no call has run for a while
   */
  announce(command: Command, args: RunArguments, hasCode: boolean): boolean {
    const { files, env, cwd, explain } = args;
    return (
      whyNotWarmAtAll({ hasCode, copies: files, env, cwd, explain }) === undefined &&
      this.#warm.get(command)?.announce() === true
    );
  }

  /**
   * Runs a call to its end.
   * @param calledAt when it was its turn, in milliseconds of `process.hrtime`
   * @throws as `runCold` and `Command.ready`
   */
  async run(call: CommandCall, calledAt: number): Promise<RunResult> {
    this.#statistics.begin();
    let path: CallMessage['path'] = 'cold';
    let whyCold: ColdReason | undefined;
    let result: RunResult['result'] | undefined;
    let error: unknown = null;
    try {
      const running = this.#runWarm(call, calledAt, () => {
        path = 'warm';
      });
      if (call.isAnnounced) {
        primeEnd(call.limits);
      }
      let answer = await running;
      if (typeof answer === 'string') {
        whyCold = answer;
        path = 'cold';
        answer = await this.#runCold(call, calledAt);
      }
      ({ result } = answer);
      return answer;
    } catch (thrown) {
      error = thrown;
      throw thrown;
    } finally {
      const message: CallMessage = {
        command: call.command.name,
        slug: call.slug ?? null,
        path,
        whyCold: whyCold ?? null,
        outcome: result?.outcome ?? 'rejected',
        result: result ?? null,
        error,
        milliseconds: now() - calledAt,
        queuedMs: call.queuedMs ?? 0,
      };
      this.#tell(message);
    }
  }

  #tell(message: CallMessage): void {
    this.#statistics.end(message);
    publishCall(message);
  }

  async #runWarm(
    call: CommandCall,
    calledAt: number,
    onTaken: () => void,
  ): Promise<RunResult | ColdReason> {
    const warm = this.#warmCommand(call.command);
    if (typeof warm === 'string') {
      return warm;
    }
    const { warm: changes } = call;
    const own = changes === undefined ? call : { ...call, copies: changes.copies };
    const reason = whyNotWarm(own, this.#options.limits());
    if (reason !== undefined) {
      return reason;
    }
    return await warm.run(
      changes === undefined ? call : { ...own, request: changes.request() },
      calledAt,
      onTaken,
    );
  }

  /**
   * Opens a session in a cell: one that waits, where it has nothing of its own that such a one lacks, else of a template
   * that is the session's alone.
   * @param begin begins it in that cell
   * @throws as `WarmCommand.makeOwn`; the signals' reason
   */
  async openSession<Begun extends object>(
    { command, limits, signals, env, isOwn }: SessionDemand,
    begin: (cell: Cell) => Begun,
  ): Promise<Begun> {
    if (!isOwn && sameDiskLimits(limits, this.#options.limits())) {
      const warm = this.#warmCommand(command);
      if (typeof warm !== 'string') {
        const begun = await warm.lend({ limits, signals }, begin);
        if (typeof begun !== 'string') {
          return begun;
        }
      }
    }
    let own = this.#own.get(command);
    if (own === undefined) {
      const { share, allowMissing } = this.#options;
      own = new WarmCommand(
        command,
        command.options.warm === false ? SESSION_WARM : command.options.warm,
        {
          ...{ share, allowMissing, limits: () => limits, onEvent: () => undefined },
        },
      );
      this.#own.set(command, own);
    }
    return own.makeOwn({ limits, signals, env }, begin);
  }

  /** A step of a session begins; to be followed by `endStep`. */
  beginStep(): void {
    this.#statistics.begin();
  }

  /** It has ended. */
  endStep(message: CallMessage): void {
    this.#tell(message);
  }

  /** A session is opened, or over. */
  tellSession(event: SessionMessage): void {
    this.#statistics.tellSession(event);
    publishSession(event);
  }

  async #runCold(call: CommandCall, calledAt: number): Promise<RunResult> {
    const { command, signals = [] } = call;
    const { share, allowMissing } = this.#options;
    // A Python that is asked for its modules, or a probe, may hang; it ends by itself.
    const ready = await abortable(command.ready(share, allowMissing), signals);
    if (call.isPython) {
      requirePython(command.name, ready.runtime.python);
    }
    return runCold(call, ready, calledAt);
  }

  #warmCommand(command: Command): WarmCommand | ColdReason {
    const { warm } = command.options;
    if (warm === false) {
      return 'not-warm';
    }
    // A call that began before would make a pool that nobody ends.
    if (this.#isClosed || this.#forgotten.has(command)) {
      return 'closed';
    }
    let found = this.#warm.get(command);
    if (found === undefined) {
      const { share, allowMissing, limits } = this.#options;
      found = new WarmCommand(command, warm, {
        ...{ share, allowMissing, limits },
        onEvent: (event) => {
          publishPoolEvent(command.name, event);
        },
      });
      this.#warm.set(command, found);
    }
    return found;
  }

  /**
   * Waits until the pools of these commands stand. One that can't be warm on this host is told to the logger:
   * its calls run cold.
   * @throws as `WarmCommand.warmUp`; ClosedError where the jail is closed meanwhile
   */
  async warmUp(commands: readonly Command[]): Promise<void> {
    await Promise.all(
      commands.map(async (command) => {
        const warm = this.#warmCommand(command);
        const never = typeof warm === 'string' ? warm : await warm.warmUp();
        if (this.#isClosed) {
          throw new ClosedError();
        }
        // Configured anew meanwhile, it is not this command's pool that was wanted.
        if (never !== undefined && never !== 'closed') {
          this.#options.logger(
            'warn',
            `the command ${JSON.stringify(command.name)} runs cold: ${COLD_REASONS[never]}`,
          );
        }
      }),
    );
  }

  /** As `WarmCommand.verify`; undefined for a command that is not warm, or not any more. */
  async verify(command: Command): Promise<readonly ProbeCheck[] | undefined> {
    const warm = this.#warmCommand(command);
    const checks = typeof warm === 'string' ? undefined : await warm.verify();
    if (this.#isClosed) {
      throw new ClosedError();
    }
    return checks;
  }

  /** @param queue what waits before calls get here */
  stats(queue: QueueStatistics): JailStatistics {
    const pools = [...this.#warm].map(([{ name }, warm]) => [name, warm.stats()] as const);
    return this.#statistics.read(Object.fromEntries(pools), queue);
  }

  /** Gives up the pool of a command that is configured anew. Its running calls go on. */
  forget(command: Command): void {
    this.#forgotten.add(command);
    const warm = this.#warm.get(command);
    if (warm !== undefined) {
      this.#warm.delete(command);
      const closing = warm.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
  }

  /** Waits until nothing of any pool is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const command of [...this.#warm.keys()]) {
      this.forget(command);
    }
    await Promise.all(this.#closing);
  }
}
