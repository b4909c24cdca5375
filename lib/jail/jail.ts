// A jail: the calls that run programs in it.
import { Command, refusedOf } from '../command/command';
import { InvalidArgumentError } from '../errors';
import type { AnswerGlobals, SafeExecJsonResult, SafeExecResult } from '../exec/answer';
import { AS_TEXT, jsonOf, updating } from '../exec/conclusion';
import { serverCgroup } from '../host/cgroup';
import { jsonSafe } from '../json/safe';
import type { JsonText } from '../json/text-buffers';
import type { Limits } from '../limits';
import {
  parseCloseOptions,
  parseJailCodeOptions,
  parseSafeExecOptions,
  parseWaitOptions,
} from '../options/call';
import { parseCommandName, parseCommandOptions } from '../options/command';
import { readJsonObject, requireCode, requireGlobals } from '../options/exec';
import { checkFiles } from '../options/files';
import { requireRoom } from '../options/room';
import { parseSessionOptions } from '../session/options';
import type {
  CloseOptions,
  JailCodeOptions,
  JailOptions,
  RunArguments,
  SafeExecOptions,
  WaitOptions,
} from '../options/types';
import { hostReport, type HostReport, type VerifyReport } from '../proof/report';
import type { JailResult } from '../run/result';
import type { Session, SessionOptions } from '../session/types';
import { PROGRAM_NAME } from '../spec/files';
import type { JailStatistics } from '../statistics/calls';
import { printable } from '../text/printable';
import { now } from '../time/clock';
import { Calls, copiedGiven } from './calls';
import { Configuration } from './configuration';
import { Dispatcher } from './dispatcher';
import { Executions, type Execution } from './executions';
import { Sessions } from './sessions';

/** Globals that go in, and are updated with what comes back. */
function withGlobals(
  globals: Record<string, unknown>,
): Pick<Execution<AnswerGlobals, SafeExecResult>, 'write' | 'end'> {
  return { write: (): JsonText | Promise<JsonText> => jsonOf(globals), end: updating(globals) };
}

/**
 * A jail of its own: commands and limits that no other jail shares. Made by `createJail`; closed by `close`, or by
 * `await using`, which ends every call of it.
 * @example
 * import { createJail } from 'codejail';
 *
 * const jail = createJail({ limits: { cpu: 5, realtime: 10 } });
 * const { stdout } = await jail.jailCode('python', { code: 'print(6 * 7)' });
 * console.log(stdout.toString()); // 42
 * await jail.close();
 */
export class Jail extends Configuration implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;
  readonly #calls: Calls;
  readonly #executions: Executions;
  readonly #sessions: Sessions;

  /** @internal */
  constructor(options: JailOptions = {}) {
    super(options);
    const { share, allowMissing, logger } = this;
    this.#calls = new Calls(this.gate, logger);
    this.#dispatcher = new Dispatcher({
      ...{ share, allowMissing, logger },
      limits: () => ({ disk: this.limits.get('disk'), files: this.limits.get('files') }),
    });
    this.#executions = new Executions(this.#calls, this.#dispatcher);
    this.#sessions = new Sessions(this.#calls, this.#dispatcher);
  }

  /**
   * Runs a program in a jail of its own, and waits until nothing of it is left.
   * @param command a configured command
   * @returns what it printed, how it ended and what it used, also when it failed or reached a limit
   * @throws InvalidArgumentError, NotConfiguredError, UnconfinedError, SetupError, BusyError, ClosedError: then nothing ran;
   *   CollectError where what it left could not be brought back; the signal's reason where the call was aborted; what a
   *   callback or an iterable of yours throws
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const { outcome, stdout } = await jail.jailCode('python', { code: 'print(1 + 1)' });
   * console.log(outcome, stdout.toString()); // exited 2
   */
  async jailCode(command: string, options: JailCodeOptions = {}): Promise<JailResult> {
    const calledAt = now();
    const name = parseCommandName(command);
    const args = parseJailCodeOptions(options);
    const found = this.#heeding(name, args);
    const code = args.code === undefined ? [] : [{ name: PROGRAM_NAME, content: args.code }];
    const { given, pack, place } = this.#calls.admit(found, args, this.#limitsOf(args), {
      files: [...code, ...args.extraFiles],
      hasCode: code.length > 0,
      isPython: false,
    });
    return this.#calls.track(async () => {
      const isAnnounced = place.isIn && this.#dispatcher.announce(found, args, code.length > 0);
      const copying = copiedGiven(given);
      const copied = copying instanceof Promise ? await copying : copying;
      if (args.files.length > 0) {
        await checkFiles(args.files);
      }
      const turnAt = place.isIn ? calledAt : await place.turn();
      const queuedMs = place.waitedMs;
      const { result, gone } = await this.#dispatcher.run(
        Object.assign(pack(copied), { isAnnounced, queuedMs }),
        turnAt,
      );
      await gone?.();
      return result;
    }, place);
  }

  /**
   * Runs Python code as `exec(code, globals)` does, in a jail, and updates `globals` with what came
   * back. What JSON can't carry is left out, in both directions; what did not come back is in `omitted` of the result.
   * @param code the program's text
   * @param globals the program's names and their values; an object that can be changed
   * @throws SafeExecError where the code failed or met a limit: `globals` is then as it was; InvalidArgumentError,
   *   NotConfiguredError, UnconfinedError, SetupError, BusyError, ClosedError: then nothing ran; CollectError where what it
   *   left could not be brought back; the signal's reason; what a callback or an iterable of yours throws
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const globals = { x: 20 };
   * await jail.safeExec('y = x + 1', globals);
   * console.log(globals.y); // 21
   */
  async safeExec(
    code: string,
    globals: object,
    options?: SafeExecOptions,
  ): Promise<SafeExecResult> {
    const calledAt = now();
    requireCode(code);
    requireGlobals(globals);
    const args = parseSafeExecOptions(options);
    return this.#exec({ ...withGlobals(globals), code, args }, calledAt);
  }

  /**
   * Runs Python code in a jail with its globals as JSON text, as Python reads and writes it: 1.0 stays 1.0, and any number
   * of values comes back.
   * @param code the program's text
   * @param globalsJson the text of one JSON object
   * @throws SafeExecError where the code failed or met a limit; InvalidArgumentError (also where the text is no JSON object),
   *   NotConfiguredError, UnconfinedError, SetupError, BusyError, ClosedError: then nothing ran; CollectError where what it
   *   left could not be brought back; the signal's reason; what a callback or an iterable of yours throws
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const { globalsJson } = await jail.safeExecJson('y = x / 2', '{"x": 2}');
   * console.log(globalsJson); // {"x":2,"y":1.0}
   */
  async safeExecJson(
    code: string,
    globalsJson: string,
    options?: SafeExecOptions,
  ): Promise<SafeExecJsonResult> {
    const calledAt = now();
    requireCode(code);
    const args = parseSafeExecOptions(options);
    const write = async (): Promise<JsonText> => readJsonObject(globalsJson);
    return this.#exec({ code, args, write, end: AS_TEXT }, calledAt);
  }

  /**
   * Opens a session: a Python in a jail of its own that keeps its state from step to step. Its command has to be a Python; where
   * that is warm, the session opens in milliseconds.
   * @throws NotConfiguredError, InvalidArgumentError, UnconfinedError, BusyError, ClosedError; SetupError where this host or this
   *   command has no processes that wait; the signal's reason
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const session = await jail.openSession({ limits: { cpu: 2 } });
   * await session.run('x = 20');
   * const { value } = await session.run('x + 1');
   * console.log(value); // 21
   * await jail.close();
   */
  async openSession(options?: SessionOptions): Promise<Session> {
    const args = parseSessionOptions(options);
    if (this.alwaysBeUnsafe) {
      throw new InvalidArgumentError(
        'alwaysBeUnsafe',
        'is set: a session is always confined, and has no other mode. Use a jail without it',
      );
    }
    const found = this.#heeding(args.command, args);
    return this.#sessions.open(found, args, this.#limitsOf(args));
  }

  /**
   * Runs Python code without any confinement and without limits, with the server's own rights: for debugging only. It takes
   * and gives what `safeExec` does. Each call emits a warning of the process (`CodeJailWarning`).
   * @throws SafeExecError where the code failed; InvalidArgumentError, NotConfiguredError, BusyError, ClosedError; the
   *   signal's reason; what a callback or an iterable of yours throws
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const globals = {};
   * await jail.notSafeExec('import os; home = os.path.isdir("/")', globals);
   * console.log(globals.home); // true
   */
  async notSafeExec(
    code: string,
    globals: object,
    options?: SafeExecOptions,
  ): Promise<SafeExecResult> {
    requireCode(code);
    requireGlobals(globals);
    const args = parseSafeExecOptions(options);
    return this.#execUnconfined({ ...withGlobals(globals), code, args });
  }

  /**
   * What of an object would survive the trip into a jail and back: a copy, without what JSON can't carry.
   * @throws InvalidArgumentError where it is no object
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * console.log(jail.jsonSafe({ n: 1, f: () => 1 })); // { n: 1 }
   */
  jsonSafe(value: object): Record<string, unknown> {
    return jsonSafe(value as Record<string, unknown>);
  }

  /**
   * What this host guarantees, each guarantee by what, or why it is missing and the cure. Runs the
   * probes in a jail of the command `python` where there is one, else of `/bin/sh`: half a second.
   * @throws InvalidArgumentError, SetupError, ClosedError; the signal's reason
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const { guarantees } = await jail.inspectHost();
   * console.log(guarantees.length); // 12
   */
  async inspectHost(options?: WaitOptions): Promise<HostReport> {
    return this.#wait(options, async () => {
      this.takeUidPool();
      const command =
        this.find('python') ?? new Command('sh', parseCommandOptions({ bin: '/bin/sh' }));
      const { proof, mechanisms, forgetProof } = await command.prepare(this.share);
      forgetProof();
      return hostReport(proof, mechanisms, await serverCgroup(this.share.cgroup));
    });
  }

  /**
   * Runs the probes inside a jail that is built exactly as the command's own would be; where the command is warm, also
   * in processes like those that wait for its calls. Fit for a readiness check.
   * @param command a configured command
   * @throws NotConfiguredError, InvalidArgumentError, ClosedError; SetupError where such a process does not hold; the
   *   signal's reason
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * const { checks } = await jail.verify('python');
   * console.log(checks.length > 50); // true
   */
  async verify(command = 'python', options?: WaitOptions): Promise<VerifyReport> {
    const name = parseCommandName(command);
    return this.#wait(options, async () => {
      const found = this.require(name);
      const { proof, confinement, forgetProof } = await found.prepare(this.share);
      const mayRun = refusedOf(proof, this.allowMissing).length === 0;
      const cells = mayRun ? await this.#dispatcher.verify(found) : undefined;
      forgetProof();
      return {
        command: name,
        confined: proof.missing.length === 0,
        confinement: confinement.mechanisms,
        checks: proof.checks,
        cells: cells === undefined ? null : [...cells],
        missing: proof.missing,
      };
    });
  }

  /**
   * Starts what warm commands keep ready, and waits until it stands. Without it the first calls run cold
   * meanwhile. A command that can't be warm on this host is told to the logger, and runs cold.
   * @param command one command; by default every one that is configured `warm`
   * @throws NotConfiguredError, InvalidArgumentError, UnconfinedError, ClosedError; SetupError with what Python said
   *   where a module of `preload` can't be imported; the signal's reason
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * jail.configure('python', { bin: 'python3', warm: { size: 2, preload: ['json'] } });
   * await jail.warmUp();
   * console.log(jail.stats().pools.python.state); // ready
   * await jail.close();
   */
  async warmUp(command?: string, options?: WaitOptions): Promise<void> {
    this.takeUidPool();
    const commands =
      command === undefined
        ? this.commands.filter((each) => each.options.warm !== false)
        : [this.require(parseCommandName(command))];
    return this.#wait(options, async () => this.#dispatcher.warmUp(commands));
  }

  /**
   * What this jail has done since it was made, and has now: calls, cold and warm, durations, what waits, pools. A plain
   * object, made anew at each call; it costs microseconds.
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * await jail.jailCode('python', { code: 'print(1)' });
   * console.log(jail.stats().outcomes); // { exited: 1 }
   */
  stats(): JailStatistics {
    return this.#dispatcher.stats(this.gate.stats());
  }

  /**
   * Ends every call that runs or waits and what warm commands keep ready, and waits until nothing of it is
   * left. These and later calls reject with `ClosedError`.
   * @param options with `drain`, calls that run or wait are let end first, for at most `timeoutMs`; later ones are refused
   *   at once
   * @throws InvalidArgumentError
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * process.once('SIGTERM', () => jail.close({ drain: true, timeoutMs: 20_000 }));
   */
  async close(options?: CloseOptions): Promise<void> {
    const drain = parseCloseOptions(options);
    if (drain !== undefined) {
      await this.#calls.drain(drain.timeoutMs);
    }
    this.#calls.end();
    await this.#dispatcher.close();
    await this.#calls.settled();
    this.giveUidPoolBack();
  }

  /** Closes the jail, as `close()` does: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  protected override onReplaced(command: Command): void {
    this.#dispatcher.forget(command);
  }

  async #wait<T>(options: WaitOptions | undefined, work: () => Promise<T>): Promise<T> {
    return this.#calls.wait(parseWaitOptions(options), work);
  }

  /** A command, whose variables of a call's it does not ignore. */
  #heeding(name: string, { env }: RunArguments): Command {
    const found = this.require(name);
    found.requireHeeded(env);
    return found;
  }

  /** The limits of a call, which have room for what it brings. */
  #limitsOf(args: RunArguments): Limits {
    const limits = this.limits.effective(args.limitOverridesContext, args.limits);
    requireRoom(args, limits);
    return limits;
  }

  async #exec<Content, Result>(
    execution: Execution<Content, Result>,
    calledAt: number,
  ): Promise<Result> {
    if (this.alwaysBeUnsafe) {
      return this.#execUnconfined(execution);
    }
    const { args } = execution;
    const found = this.#heeding(args.command, args);
    return this.#executions.run(found, execution, this.#limitsOf(args), calledAt);
  }

  async #execUnconfined<Content, Result>(execution: Execution<Content, Result>): Promise<Result> {
    const { args } = execution;
    const { slug, command } = args;
    const message = 'DANGER: executing code without any confinement (notSafeExec)';
    process.emitWarning(`${message} for ${printable(slug ?? 'a caller')}`, 'CodeJailWarning');
    this.logger('warn', message, { ...(slug === undefined ? {} : { slug }), command });
    return this.#executions.runUnconfined(this.#heeding(command, args), execution, this.share);
  }
}
