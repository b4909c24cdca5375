// A jail: the calls that run programs in it.
import { Command, refusedOf } from '../command/command';
import { ClosedError } from '../errors';
import {
  AnswerReader,
  readGlobals,
  readText,
  type Answer,
  type AnswerGlobals,
  type ReadAnswer,
  type SafeExecJsonResult,
  type SafeExecResult,
} from '../exec/answer';
import { encodeCode, encodeRequest } from '../exec/request';
import { runUnconfined } from '../exec/unconfined';
import type { Place } from '../gate/place';
import { serverCgroup } from '../host/cgroup';
import { writeGlobalsInSlices } from '../json/globals-writer';
import { updateGlobalsInSlices } from '../json/merge';
import { jsonSafe, jsonSafeIfFew } from '../json/safe';
import { stringifyJson } from '../json/stringify';
import type { JsonText } from '../json/text-buffers';
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
import { Closing, type EndSignal } from '../run/end-signal';
import type { Input } from '../run/input';
import { textOutput } from '../run/output-text';
import type { JailResult } from '../run/result';
import { PROGRAM_NAME, programFrom } from '../spec/files';
import type { JailStatistics } from '../statistics/calls';
import { printable } from '../text/printable';
import { now } from '../time/clock';
import { abortable } from './abortable';
import { Configuration } from './configuration';
import { Dispatcher, type Call } from './dispatcher';
import { shareSignal } from './shared-signal';

/** A jail of its own: commands and limits that no other jail shares. Made by `createJail`. */
export class Jail extends Configuration implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new Closing();

  /** @internal */
  constructor(options: JailOptions = {}) {
    super(options);
    const { share, allowMissing, logger } = this;
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
    const call = parseJailCodeOptions(options);
    const found = this.require(name);
    found.requireHeeded(call.env);
    const limits = this.limits.effective(call.limitOverridesContext, call.limits);
    requireRoom(call, limits);
    const signal = call.signal === null ? null : shareSignal(call.signal);
    signal?.throwIfAborted();
    const hasCode = call.code !== null;
    const place = this.gate.enter(call.tenant, signal);
    return this.#track(async () => {
      const { explain: explains, cwd } = call;
      const demand = { hasCode, copies: call.files.length, env: call.env, cwd, explains };
      const isAnnounced = place.isIn && this.#dispatcher.announce(found, demand);
      if (call.files.length > 0) {
        await checkFiles(call.files);
      }
      const turnAt = place.isIn ? calledAt : await place.turn();
      const code = call.code === null ? [] : [{ name: PROGRAM_NAME, content: call.code }];
      const { result, gone } = await this.#dispatcher.run(
        {
          ...call,
          command: found,
          isAnnounced,
          queuedMs: place.waitedMs,
          ...{ limits, explains },
          argv: [...(hasCode ? [programFrom(call.cwd)] : []), ...call.argv],
          copies: call.files,
          files: [...code, ...call.extraFiles],
          stdin: (call.stdin ?? undefined) as Input | undefined,
          signals: this.#signals(signal),
          ...told(call),
          hasCode,
          isPython: false,
        },
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
      const cells = mayRun ? await this.#dispatcher.verify(found) : null;
      forgetProof();
      return {
        command: name,
        confined: proof.missing.length === 0,
        confinement: confinement.mechanisms,
        checks: proof.checks,
        cells: cells === null ? null : [...cells],
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
    if (drain !== null) {
      this.gate.refuseLater(new ClosedError());
      await settledWithin(this.#running, drain.timeoutMs);
    }
    const error = new ClosedError();
    this.gate.close(error);
    this.#closing.abort(error);
    await this.#dispatcher.close();
    await Promise.allSettled(this.#running);
    this.giveUidPoolBack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  protected override onReplaced(command: Command): void {
    this.#dispatcher.forget(command);
  }

  async #track<T>(work: () => Promise<T>, place?: Place): Promise<T> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      place?.leave();
    }
  }

  async #wait<T>(options: WaitOptions | undefined, work: () => Promise<T>): Promise<T> {
    const signal = parseWaitOptions(options);
    signal?.throwIfAborted();
    this.gate.throwIfClosed();
    return abortable(this.#track(work), signal === null ? [] : [signal]);
  }

  #signals(signal: EndSignal | null): EndSignal[] {
    return signal === null ? [this.#closing] : [signal, this.#closing];
  }

  async #exec<Content, Result>(
    code: string,
    write: () => JsonText | Promise<JsonText>,
    call: SafeExecArguments,
    calledAt: number,
    end: End<Content, Result>,
  ): Promise<Result> {
    if (this.alwaysBeUnsafe) {
      return this.#execUnconfined(code, write, call, end);
    }
    const found = this.require(call.command);
    found.requireHeeded(call.env);
    const limits = this.limits.effective(call.limitOverridesContext, call.limits);
    requireRoom(call, limits);
    const signal = call.signal === null ? null : shareSignal(call.signal);
    signal?.throwIfAborted();
    const place = this.gate.enter(call.tenant, signal);
    return this.#track(async () => {
      // A waiting Python wakes up while globals are still being written.
      const { env, explain: explains, cwd } = call;
      const demand = { hasCode: true, copies: call.files.length, env, cwd, explains };
      const isAnnounced = place.isIn && this.#dispatcher.announce(found, demand);
      const written = write();
      const globalsJson = typeof written === 'string' ? written : await written;
      const encoded = encodeCode(code);
      const codeJson = typeof encoded === 'string' ? encoded : await encoded;
      if (call.files.length > 0) {
        await checkFiles(call.files);
      }
      const turnAt = place.isIn ? calledAt : await place.turn();
      const reader = new AnswerReader(end.read);
      const { result, channel, gone } = await this.#dispatcher.run(
        {
          command: found,
          isAnnounced,
          queuedMs: place.waitedMs,
          slug: call.slug,
          collect: call.collect,
          explains,
          limits,
          argv: [programFrom(call.cwd), ...call.argv],
          cwd: call.cwd,
          env: call.env,
          copies: call.files,
          files: [RUNNER, ...call.extraFiles],
          stdin: (call.stdin ?? undefined) as Input | undefined,
          ...told(call),
          signals: this.#signals(signal),
          request: encodeRequest(codeJson, globalsJson, call.pythonPath),
          warm: searchedByTemplate(found, codeJson, globalsJson, call),
          hasCode: true,
          isPython: true,
          onChannel: (bytes) => {
            reader.foresee(bytes);
          },
        },
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
    call: SafeExecArguments,
    end: End<Content, Result>,
  ): Promise<Result> {
    const message = `DANGER: executing code without any confinement (notSafeExec) for ${printable(call.slug ?? 'a caller')}`;
    process.emitWarning(message, 'CodeJailWarning');
    this.logger('warn', message);
    const found = this.require(call.command);
    found.requireHeeded(call.env);
    const signal = call.signal === null ? null : shareSignal(call.signal);
    signal?.throwIfAborted();
    const place = this.gate.enter(call.tenant, signal);
    return this.#track(async () => {
      const globalsJson = await write();
      await checkFiles(call.files);
      if (!place.isIn) {
        await place.turn();
      }
      const { program, words, python } = await found.unconfined(this.share);
      requirePython(call.command, python);
      const { result, channel } = await runUnconfined({
        program,
        argv: [...words, programFrom(call.cwd), ...call.argv],
        cwd: call.cwd,
        stdin: (call.stdin ?? undefined) as Input | undefined,
        ...told(call),
        copies: call.files,
        files: [RUNNER, ...call.extraFiles],
        request: encodeRequest(await encodeCode(code), globalsJson, call.pythonPath),
        env: found.environment({ python, outputLibrary: null }, call.env),
        collect: call.collect,
        queuedMs: place.waitedMs,
        signals: this.#signals(signal),
      });
      return end.conclude(result, await new AnswerReader(end.read).read(result, channel));
    }, place);
  }
}

/** Whom a call's run tells of what comes. */
function told(call: RunArguments): Required<Pick<Call, 'onStdout' | 'onStderr' | 'onOutputEnd'>> {
  const output = textOutput({
    onChunk: call.onStdout,
    onText: call.onStdoutText,
    onLine: call.onStdoutLine,
  });
  const errors = textOutput({
    onChunk: call.onStderr,
    onText: call.onStderrText,
    onLine: call.onStderrLine,
  });
  const onOutputEnd = (): void => {
    output?.end();
    errors?.end();
  };
  return {
    onStdout: output?.take,
    onStderr: errors?.take,
    onOutputEnd: output === undefined && errors === undefined ? undefined : onOutputEnd,
  };
}

/** Waits until all of it has settled, at most so long; null: as long as it takes. */
async function settledWithin(
  work: Iterable<Promise<unknown>>,
  timeoutMs: number | null,
): Promise<void> {
  const settled = Promise.allSettled(work);
  if (timeoutMs === null) {
    await settled;
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([settled, timedOut]);
  clearTimeout(timer);
}

/** What becomes of a program's answer, and of the call's result then. */
interface End<Content, Result> {
  read: ReadAnswer<Content>;
  conclude: (result: JailResult, answer: Answer<Content>) => Result | Promise<Result>;
}

const AS_TEXT: End<string, SafeExecJsonResult> = {
  read: readText,
  conclude: (result, { content, omitted }) => ({ ...result, globalsJson: content, omitted }),
};

function jsonOf(globals: Record<string, unknown>): JsonText | Promise<JsonText> {
  const few = jsonSafeIfFew(globals);
  return few === null ? writeGlobalsInSlices(globals) : stringifyJson(few);
}

/** Updates the globals with what came back. */
function updating(globals: Record<string, unknown>): End<AnswerGlobals, SafeExecResult> {
  return {
    read: readGlobals,
    conclude: async (result, { content, omitted }) => {
      await updateGlobalsInSlices(globals, content.globals, content.names);
      return { ...result, globals: content.globals, omitted };
    },
  };
}

/** What differs for a call whose `pythonPath` names directories that the template has searched. */
function searchedByTemplate(
  { options }: Command,
  codeJson: JsonText,
  globalsJson: JsonText,
  call: SafeExecArguments,
): Call['warm'] {
  if (options.warm === false || call.searched.length === 0) {
    return undefined;
  }
  const known = options.warm.pythonPath;
  const shown = new Map(
    call.searched.filter(({ path }) => known.includes(path)).map(({ name, path }) => [name, path]),
  );
  return shown.size === 0
    ? undefined
    : {
        copies: call.files.filter(({ name }) => !shown.has(name)),
        request: () =>
          encodeRequest(
            codeJson,
            globalsJson,
            call.pythonPath.map((name) => shown.get(name) ?? name),
          ),
      };
}
