// A jail: its commands, its limits, and the calls that run programs in it.
import { setMaxListeners } from 'node:events';
import { autoConfiguredPython, Command, type ReadyCommand } from './command';
import { runCold, type ColdCall, type ColdResult } from './cold';
import { DEFAULT_UID_POOL, type UidPool } from './confinement';
import { ClosedError, InvalidArgumentError, NotConfiguredError } from './errors';
import type { GuaranteeName } from './guarantee-name';
import type { Input } from './input';
import { checkFiles } from './jail-files';
import { updateGlobals } from './json/merge';
import { parseJson } from './json/parse';
import { jsonSafe } from './json/safe';
import { stringifyJson } from './json/stringify';
import { LimitTable, type LimitName, type Limits } from './limits';
import {
  parseCommandName,
  parseCommandOptions,
  parseJailCodeOptions,
  parseJailOptions,
  parseSafeExecOptions,
  type CommandOptions,
  type JailCodeOptions,
  type JailOptions,
  type Logger,
  type SafeExecArguments,
  type SafeExecOptions,
} from './options';
import { hostReport, type HostReport, type VerifyReport } from './report';
import type { JailResult } from './result';
import {
  decodeAnswer,
  encodeRequest,
  RUNNER_NAME,
  runnerSource,
  type SafeExecJsonResult,
  type SafeExecResult,
} from './safe-exec';
import { parseSettings, type CodeJailSettings } from './settings';
import { runUnconfined } from './unsafe';

/** CodeJail's name for the program in the jail's directory. */
const PROGRAM_NAME = 'jailed_code';

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A jail of its own: commands and limits that no other jail shares. Made by `createJail`. */
export class Jail implements AsyncDisposable {
  readonly #commands = new Map<string, Command>();
  readonly #limits: LimitTable;
  readonly #allowMissing: readonly GuaranteeName[];
  readonly #uidPool: UidPool;
  readonly #logger: Logger;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  /** Whether safeExec runs everything unconfined, as CodeJail's ALWAYS_BE_UNSAFE does. */
  readonly alwaysBeUnsafe: boolean;

  /** @internal */
  constructor(options: JailOptions = {}) {
    const { allowMissing, alwaysBeUnsafe, uidPool, commands, limits, logger } =
      parseJailOptions(options);
    this.#allowMissing = allowMissing;
    this.alwaysBeUnsafe = alwaysBeUnsafe;
    this.#uidPool = uidPool ?? DEFAULT_UID_POOL;
    this.#logger = logger ?? (() => undefined);
    // Every call that runs listens: more than ten of them are no leak.
    setMaxListeners(0, this.#closing.signal);
    this.#limits = new LimitTable(
      logger === null
        ? undefined
        : (message) => {
            logger('warn', message);
          },
    );
    for (const [name, value] of Object.entries(limits) as [LimitName, number][]) {
      this.#limits.set(name, value);
    }
    for (const [name, command] of commands) {
      this.#commands.set(name, new Command(name, command));
    }
  }

  /**
   * Configures a command, or configures it anew.
   * @param command any name; `python` gets the arguments `-E -B`, as in CodeJail
   * @param options the program's path, or more
   * @throws InvalidArgumentError
   * @example jail.configure('python', '/opt/sandbox/bin/python')
   */
  configure(command: string, options: string | CommandOptions): void {
    const name = parseCommandName(command);
    this.#commands.set(name, new Command(name, parseCommandOptions(options)));
  }

  /** Whether a command can be used: one that was configured, or `python` where one is found. */
  isConfigured(command: string): boolean {
    return this.#find(parseCommandName(command)) !== null;
  }

  /**
   * Sets a limit for every later call; null puts the default back.
   * @throws InvalidArgumentError
   */
  setLimit(name: LimitName, value: number | null): void {
    this.#limits.set(name, value);
  }

  /**
   * Overrides a limit for the calls that name this context as `limitOverridesContext`; null takes the
   * override away. `proxy` can't be overridden.
   * @throws InvalidArgumentError
   */
  overrideLimit(name: LimitName, value: number | null, context: string): void {
    this.#limits.override(name, value, context);
  }

  /** The limits that a call would have, with a context's overrides where one is named. */
  effectiveLimits(context?: string): Limits {
    return this.#limits.effective(context);
  }

  /**
   * Applies Open edX's CODE_JAIL dictionary.
   * @throws InvalidArgumentError; then nothing has been applied
   */
  applySettings(settings: CodeJailSettings): void {
    const { command, limits, overrides } = parseSettings(settings);
    if (command !== undefined) {
      this.configure('python', {
        bin: command.bin,
        ...(command.user === null ? {} : { user: command.user }),
      });
    }
    for (const { name, value } of limits) {
      this.#limits.set(name, value);
    }
    for (const { name, value, context } of overrides) {
      this.#limits.override(name, value, context);
    }
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
    const found = this.#require(name);
    const limits = this.#limits.effective(call.limitOverridesContext, call.limits);
    call.signal?.throwIfAborted();
    return this.#track(async () => {
      await checkFiles(call.files);
      const ready = await found.ready(this.#uidPool, this.#allowMissing);
      const code = call.code === null ? [] : [{ name: PROGRAM_NAME, content: call.code }];
      const { result } = await this.#run(ready, calledAt, call.slug, {
        limits,
        argv: [...ready.words, ...(call.code === null ? [] : [PROGRAM_NAME]), ...call.argv],
        env: found.environment(ready.runtime, call.env),
        copies: call.files.map(({ path, name: copied }) => ({ source: path, name: copied })),
        files: [...code, ...call.extraFiles],
        stdin: (call.stdin ?? undefined) as Input | undefined,
        collect: call.collect,
        signal: call.signal,
        onStdout: call.onStdout ?? undefined,
        onStderr: call.onStderr ?? undefined,
      });
      return result;
    });
  }

  /**
   * Runs Python code as `exec(code, globals)` does, in a jail, and updates `globals` with what came
   * back. What JSON can't carry is left out, in both directions.
   * @throws SafeExecError where the code failed: `globals` is then as it was; and as `jailCode`
   * @example
   * const globals = { x: 20 };
   * await jail.safeExec('y = x + 1', globals);   // globals.y === 21
   */
  async safeExec(
    code: string,
    globals: Record<string, unknown>,
    options: SafeExecOptions = {},
  ): Promise<SafeExecResult> {
    requireCode(code);
    requireGlobals(globals);
    const { answer, result } = await this.#exec(code, stringifyJson(jsonSafe(globals)), options);
    updateGlobals(globals, answer.globals);
    return { ...result, globals: answer.globals };
  }

  /**
   * As `safeExec`, with JSON text in and out, as Python reads and writes it: 1.0 stays 1.0.
   * @param globalsJson the text of one JSON object
   */
  async safeExecJson(
    code: string,
    globalsJson: string,
    options: SafeExecOptions = {},
  ): Promise<SafeExecJsonResult> {
    requireCode(code);
    requireJsonObject(globalsJson);
    const { answer, result } = await this.#exec(code, globalsJson, options);
    return { ...result, globalsJson: answer.globalsJson };
  }

  /**
   * As `safeExec`, without any confinement or limit: for debugging only. Warns on every call.
   */
  async notSafeExec(
    code: string,
    globals: Record<string, unknown>,
    options: SafeExecOptions = {},
  ): Promise<SafeExecResult> {
    requireCode(code);
    requireGlobals(globals);
    const { answer, result } = await this.#execUnconfined(
      code,
      stringifyJson(jsonSafe(globals)),
      parseSafeExecOptions(options),
    );
    updateGlobals(globals, answer.globals);
    return { ...result, globals: answer.globals };
  }

  /** What would survive the trip into a jail and back. */
  jsonSafe(value: Record<string, unknown>): Record<string, unknown> {
    return jsonSafe(value);
  }

  /**
   * What this host guarantees, each guarantee by what, or why it is missing and the cure. Runs the
   * probes in a jail of the command `python` where there is one, else of `/bin/sh`.
   */
  async inspectHost(): Promise<HostReport> {
    const command =
      this.#find('python') ?? new Command('sh', parseCommandOptions({ bin: '/bin/sh' }));
    const { proof, confinement } = await command.prepare(this.#uidPool);
    return hostReport(proof, [
      ...confinement.mechanisms,
      'sampled-sums',
      'timer',
      'bounded-readers',
    ]);
  }

  /**
   * Runs the probes inside a jail that is built exactly as the command's own would be.
   * @throws NotConfiguredError, InvalidArgumentError
   */
  async verify(command = 'python'): Promise<VerifyReport> {
    const name = parseCommandName(command);
    const { proof, confinement } = await this.#require(name).prepare(this.#uidPool);
    return {
      command: name,
      confined: proof.missing.length === 0,
      confinement: confinement.mechanisms,
      checks: proof.checks,
      missing: proof.missing,
    };
  }

  /** Ends every call that still runs, and waits until nothing of it is left. Later calls reject. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError());
    await Promise.allSettled(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #find(name: string): Command | null {
    const known = this.#commands.get(name);
    if (known !== undefined || name !== 'python') {
      return known ?? null;
    }
    const options = autoConfiguredPython();
    if (options === null) {
      return null;
    }
    const command = new Command(name, options);
    this.#commands.set(name, command);
    return command;
  }

  #require(name: string): Command {
    const command = this.#find(name);
    if (command === null) {
      throw new NotConfiguredError(name, [...this.#commands.keys()]);
    }
    return command;
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    this.#closing.signal.throwIfAborted();
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #run(
    ready: ReadyCommand,
    calledAt: number,
    slug: string | null,
    call: Pick<
      ColdCall,
      | 'limits'
      | 'argv'
      | 'env'
      | 'copies'
      | 'files'
      | 'stdin'
      | 'collect'
      | 'request'
      | 'onStdout'
      | 'onStderr'
    > & { signal: AbortSignal | null },
  ): Promise<ColdResult> {
    const { signal } = call;
    const closing = this.#closing.signal;
    return runCold(
      {
        ...call,
        confinement: ready.confinement,
        view: ready.runtime.view,
        mechanisms: ready.mechanisms,
        program: ready.runtime.program,
        collects: call.collect.length > 0,
        signals: signal === null ? [closing] : [signal, closing],
        onNote: (level, message) => {
          if (level === 'warn' || slug !== null) {
            this.#logger(level, slug === null ? message : `${slug}: ${message}`);
          }
        },
      },
      calledAt,
    );
  }

  async #exec(code: string, globalsJson: string, options: SafeExecOptions): Promise<Executed> {
    const calledAt = now();
    const call = parseSafeExecOptions(options);
    if (this.alwaysBeUnsafe) {
      return this.#execUnconfined(code, globalsJson, call);
    }
    const found = this.#require(call.command);
    const limits = this.#limits.effective(call.limitOverridesContext, call.limits);
    call.signal?.throwIfAborted();
    return this.#track(async () => {
      await checkFiles(call.files);
      const ready = await found.ready(this.#uidPool, this.#allowMissing);
      requirePython(call.command, ready.runtime.python);
      const { result, channel } = await this.#run(ready, calledAt, call.slug, {
        limits,
        argv: [...ready.words, RUNNER_NAME],
        env: found.environment(ready.runtime, {}),
        copies: call.files.map(({ path, name }) => ({ source: path, name })),
        files: [{ name: RUNNER_NAME, content: runnerSource() }, ...call.extraFiles],
        collect: call.collect,
        signal: call.signal,
        request: encodeRequest(code, globalsJson, call.pythonPath),
      });
      return { result, answer: decodeAnswer(result, channel) };
    });
  }

  async #execUnconfined(
    code: string,
    globalsJson: string,
    call: SafeExecArguments,
  ): Promise<Executed> {
    const message = `DANGER: executing code without any confinement (notSafeExec) for ${call.slug ?? 'a caller'}`;
    process.emitWarning(message, 'CodeJailWarning');
    this.#logger('warn', message);
    const found = this.#require(call.command);
    return this.#track(async () => {
      await checkFiles(call.files);
      const { program, words, python } = await found.unconfined();
      requirePython(call.command, python);
      const { result, channel } = await runUnconfined({
        program,
        argv: [...words, RUNNER_NAME],
        copies: call.files.map(({ path, name }) => ({ source: path, name })),
        files: [{ name: RUNNER_NAME, content: runnerSource() }, ...call.extraFiles],
        request: encodeRequest(code, globalsJson, call.pythonPath),
        signal: call.signal,
      });
      return { result, answer: decodeAnswer(result, channel) };
    });
  }
}

interface Executed {
  result: JailResult;
  answer: ReturnType<typeof decodeAnswer>;
}

function requireCode(code: unknown): void {
  if (typeof code !== 'string') {
    throw new InvalidArgumentError('code', `must be a string, not ${typeof code}`);
  }
}

function requireGlobals(globals: unknown): void {
  if (typeof globals !== 'object' || globals === null || Array.isArray(globals)) {
    throw new InvalidArgumentError('globals', 'must be an object: its keys are the names');
  }
}

function requireJsonObject(text: unknown): void {
  if (typeof text !== 'string') {
    throw new InvalidArgumentError('globalsJson', `must be a string, not ${typeof text}`);
  }
  let value;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new InvalidArgumentError('globalsJson', `is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError('globalsJson', 'must be the text of a JSON object');
  }
}

function requirePython(command: string, python: boolean): void {
  if (!python) {
    throw new InvalidArgumentError(
      'options.command',
      `names ${JSON.stringify(command)}, which is not a Python`,
    );
  }
}
