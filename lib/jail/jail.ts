// A jail: the calls that run programs in it.
import { Command, refusedOf } from '../command/command';
import { AnswerReader, type SafeExecJsonResult, type SafeExecResult } from '../exec/answer';
import { AS_TEXT, jsonOf, updating, type Conclusion } from '../exec/conclusion';
import { encodeCode, encodeRequest } from '../exec/request';
import { runUnconfined } from '../exec/unconfined';
import { HostCalls } from '../functions/host-calls';
import { serverCgroup } from '../host/cgroup';
import { jsonSafe } from '../json/safe';
import type { JsonText } from '../json/text-buffers';
import { ZERO_LIMITS, type Limits } from '../limits';
import {
  parseCloseOptions,
  parseJailCodeOptions,
  parseSafeExecOptions,
  parseWaitOptions,
} from '../options/call';
import { parseCommandName, parseCommandOptions } from '../options/command';
import { readJsonObject, requireCode, requireGlobals, requirePython } from '../options/exec';
import { checkFiles } from '../options/files';
import { requireRoom } from '../options/room';
import type {
  CloseOptions,
  JailCodeOptions,
  JailOptions,
  RunArguments,
  SafeExecArguments,
  SafeExecOptions,
  WaitOptions,
} from '../options/types';
import { hostReport, type HostReport, type VerifyReport } from '../proof/report';
import { RUNNER } from '../python/runner-file';
import type { JailResult } from '../run/result';
import { PROGRAM_NAME } from '../spec/files';
import type { JailStatistics } from '../statistics/calls';
import { printable } from '../text/printable';
import { now } from '../time/clock';
import { Calls, copiedGiven, type Admitted } from './calls';
import { Configuration } from './configuration';
import { Dispatcher } from './dispatcher';
import { searchedByTemplate } from './searched';

/** A jail of its own: commands and limits that no other jail shares. Made by `createJail`. */
export class Jail extends Configuration implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;
  readonly #calls: Calls;

  /** @internal */
  constructor(options: JailOptions = {}) {
    super(options);
    const { share, allowMissing, logger } = this;
    this.#calls = new Calls(this.gate, logger);
    this.#dispatcher = new Dispatcher({
      ...{ share, allowMissing, logger },
      limits: () => ({ disk: this.limits.get('disk'), files: this.limits.get('files') }),
    });
  }

  /**
   * Runs a program in a jail of its own, and waits until nothing of it is left.
   * @param command a configured command
   * @returns what it printed, how it ended and what it used, also when it failed or reached a limit
   * @throws NotConfiguredError, InvalidArgumentError, UnconfinedError, SetupError: then nothing ran;
   *   the signal's reason where the call was aborted
   * @example const { stdout } = await jail.jailCode('python', { code: 'print(1 + 1)' });
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
      const isAnnounced = place.isIn && this.#announce(found, args, code.length > 0);
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
   * @throws SafeExecError where the code failed: `globals` is then as it was; and as `jailCode`
   * @example
   * const globals = { x: 20 };
   * await jail.safeExec('y = x + 1', globals);   // globals.y === 21
   */
  async safeExec(
    code: string,
    globals: object,
    options?: SafeExecOptions,
  ): Promise<SafeExecResult> {
    const calledAt = now();
    requireCode(code);
    requireGlobals(globals);
    const call = parseSafeExecOptions(options);
    return this.#exec(
      code,
      (): JsonText | Promise<JsonText> => jsonOf(globals),
      call,
      calledAt,
      updating(globals),
    );
  }

  /**
   * As `safeExec`, with JSON text in and out, as Python reads and writes it: 1.0 stays 1.0.
   * @param globalsJson the text of one JSON object
   */
  async safeExecJson(
    code: string,
    globalsJson: string,
    options?: SafeExecOptions,
  ): Promise<SafeExecJsonResult> {
    const calledAt = now();
    requireCode(code);
    const call = parseSafeExecOptions(options);
    return this.#exec(code, async () => readJsonObject(globalsJson), call, calledAt, AS_TEXT);
  }

  /**
   * As `safeExec`, without any confinement or limit: for debugging only. Warns on every call.
   */
  async notSafeExec(
    code: string,
    globals: object,
    options?: SafeExecOptions,
  ): Promise<SafeExecResult> {
    requireCode(code);
    requireGlobals(globals);
    const call = parseSafeExecOptions(options);
    return this.#execUnconfined(
      code,
      (): JsonText | Promise<JsonText> => jsonOf(globals),
      call,
      updating(globals),
    );
  }

  /** What would survive the trip into a jail and back. */
  jsonSafe(value: object): Record<string, unknown> {
    return jsonSafe(value as Record<string, unknown>);
  }

  /**
   * What this host guarantees, each guarantee by what, or why it is missing and the cure. Runs the
   * probes in a jail of the command `python` where there is one, else of `/bin/sh`.
   * @throws InvalidArgumentError, ClosedError; the signal's reason
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
   * in processes like those that wait for its calls.
   * @throws NotConfiguredError, InvalidArgumentError, ClosedError; SetupError where such a process does not hold; the
   *   signal's reason
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
   * jail.configure('python', { bin: 'python3', warm: { preload: ['numpy'] } });
   * await jail.warmUp();
   */
  async warmUp(command?: string, options?: WaitOptions): Promise<void> {
    this.takeUidPool();
    const commands =
      command === undefined
        ? this.commands.filter((each) => each.options.warm !== false)
        : [this.require(parseCommandName(command))];
    return this.#wait(options, async () => this.#dispatcher.warmUp(commands));
  }

  /** What this jail has done and has now: calls, cold and warm, durations, what waits, pools. */
  stats(): JailStatistics {
    return this.#dispatcher.stats(this.gate.stats());
  }

  /**
   * Ends every call that runs or waits and what warm commands keep ready, and waits until nothing of it is
   * left. These and later calls reject with `ClosedError`.
   * @param options with `drain`, calls that run or wait are let end first, for at most `timeoutMs`; later ones are refused
   *   at once
   * @throws InvalidArgumentError
   * @example process.once('SIGTERM', () => jail.close({ drain: true, timeoutMs: 20_000 }));
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

  /** Tells a waiting Python that a call is about to come. */
  #announce(command: Command, args: RunArguments, hasCode: boolean): boolean {
    const { files, env, cwd, explain } = args;
    return this.#dispatcher.announce(command, { hasCode, copies: files, env, cwd, explain });
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

  /** Lets a safeExec in: the runner is its program. */
  #admitExec(command: Command, args: SafeExecArguments, limits: Limits): Admitted {
    const { functions, slug } = args;
    return this.#calls.admit(command, args, limits, {
      files: [RUNNER, ...args.extraFiles],
      conversation: functions.length === 0 ? undefined : new HostCalls(functions, slug),
      hasCode: true,
      isPython: true,
    });
  }

  async #exec<Content, Result>(
    code: string,
    write: () => JsonText | Promise<JsonText>,
    args: SafeExecArguments,
    calledAt: number,
    end: Conclusion<Content, Result>,
  ): Promise<Result> {
    if (this.alwaysBeUnsafe) {
      return this.#execUnconfined(code, write, args, end);
    }
    const found = this.#heeding(args.command, args);
    const { given, pack, place } = this.#admitExec(found, args, this.#limitsOf(args));
    return this.#calls.track(async () => {
      // A waiting Python wakes up while globals are still being written.
      const isAnnounced = place.isIn && this.#announce(found, args, true);
      const written = write();
      const globalsJson = typeof written === 'string' ? written : await written;
      const encoded = encodeCode(code);
      const codeJson = typeof encoded === 'string' ? encoded : await encoded;
      const copying = copiedGiven(given);
      const copied = copying instanceof Promise ? await copying : copying;
      if (args.files.length > 0) {
        await checkFiles(args.files);
      }
      const turnAt = place.isIn ? calledAt : await place.turn();
      const reader = new AnswerReader(end.read);
      const { result, channel, gone } = await this.#dispatcher.run(
        Object.assign(pack(copied), {
          isAnnounced,
          queuedMs: place.waitedMs,
          request: encodeRequest(codeJson, globalsJson, args.pythonPath, args.functions),
          warm: searchedByTemplate(found, args, codeJson, globalsJson),
          onChannel: (bytes: Buffer) => {
            reader.foresee(bytes);
          },
        }),
        turnAt,
      );
      try {
        return await end.conclude(result, await reader.read(result, channel));
      } finally {
        await gone?.();
      }
    }, place);
  }

  async #execUnconfined<Content, Result>(
    code: string,
    write: () => JsonText | Promise<JsonText>,
    args: SafeExecArguments,
    end: Conclusion<Content, Result>,
  ): Promise<Result> {
    const { slug, command } = args;
    const message = 'DANGER: executing code without any confinement (notSafeExec)';
    process.emitWarning(`${message} for ${printable(slug ?? 'a caller')}`, 'CodeJailWarning');
    this.logger('warn', message, { ...(slug === undefined ? {} : { slug }), command });
    const found = this.#heeding(args.command, args);
    const { given, pack, place } = this.#admitExec(found, args, ZERO_LIMITS);
    return this.#calls.track(async () => {
      const globalsJson = await write();
      const copied = await copiedGiven(given);
      await checkFiles(args.files);
      if (!place.isIn) {
        await place.turn();
      }
      const { python, ...plan } = await found.unconfined(this.share);
      requirePython(args.command, python);
      const request = encodeRequest(
        await encodeCode(code),
        globalsJson,
        args.pythonPath,
        args.functions,
      );
      const { result, channel } = await runUnconfined(
        Object.assign(pack(copied), { request, queuedMs: place.waitedMs }),
        plan,
      );
      return end.conclude(result, await new AnswerReader(end.read).read(result, channel));
    }, place);
  }
}
