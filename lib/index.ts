/**
 * codejail: runs untrusted programs in a locked-down process and gives back what they printed, how
 * they ended and what they used. The functions here are those of one default jail; `createJail` makes
 * others.
 * @packageDocumentation
 * @module codejail
 */
import type { SafeExecJsonResult, SafeExecResult } from './exec/answer';
import { Jail } from './jail/jail';
import { jsonSafe as safe } from './json/safe';
import type { LimitName, Limits } from './limits';
import type { CodeJailSettings } from './options/settings';
import type {
  BoundChanges,
  CommandOptions,
  JailCodeOptions,
  JailOptions,
  SafeExecOptions,
  WaitOptions,
} from './options/types';
import type { HostReport, VerifyReport } from './proof/report';
import type { JailResult } from './run/result';
import type { Session, SessionOptions } from './session/types';
import type { JailStatistics } from './statistics/calls';

const defaultJail = new Jail();

/**
 * Makes a jail of its own: commands, limits and bounds that no other jail shares. Nothing is started before its first call.
 * @param options each has a default: `createJail()` is like the default jail
 * @throws InvalidArgumentError naming the option at fault
 * @example
 * import { createJail } from 'codejail';
 *
 * const jail = createJail({ commands: { greet: '/bin/echo' }, limits: { cpu: 5 } });
 * const { stdout } = await jail.jailCode('greet', { argv: ['hello'] });
 * console.log(stdout.toString()); // hello
 * await jail.close();
 */
export function createJail(options?: JailOptions): Jail {
  return new Jail(options);
}

/**
 * Configures a command of the default jail, or configures it anew; calls that have begun go on as they were.
 * @param command any name; `python` gets the arguments `-E -B`, as in CodeJail
 * @param options the program's path, or more
 * @throws InvalidArgumentError naming the option at fault
 * @example
 * import { configure, jailCode } from 'codejail';
 *
 * configure('node', { bin: 'node', args: ['--max-old-space-size=128'] });
 * const { stdout } = await jailCode('node', { code: 'console.log(6 * 7)', limits: { nproc: 32 } });
 * console.log(stdout.toString()); // 42
 */
export function configure(command: string, options: string | CommandOptions): void {
  defaultJail.configure(command, options);
}

/**
 * Whether the default jail can use a command: one that was configured, or `python` where one is found.
 * @throws InvalidArgumentError where the name is no string, or empty
 * @example
 * import { isConfigured } from 'codejail';
 *
 * console.log(isConfigured('cobol')); // false
 */
export function isConfigured(command: string): boolean {
  return defaultJail.isConfigured(command);
}

/**
 * Sets a limit for every later call of the default jail.
 * @param name of the limit
 * @param value in the limit's unit, see `Limits`; null puts the default back
 * @throws InvalidArgumentError where the limit is unknown, or the value is out of its range
 * @example
 * import { effectiveLimits, setLimit } from 'codejail';
 *
 * setLimit('cpu', 2.5);
 * console.log(effectiveLimits().cpu); // 2.5
 */
export function setLimit(name: LimitName, value: number | null): void {
  defaultJail.setLimit(name, value);
}

/**
 * Overrides a limit of the default jail for the calls that name this context as their option `limitOverridesContext`.
 * @param name of the limit; `proxy` can't be overridden
 * @param value in the limit's unit, see `Limits`; null takes the override away
 * @param context not empty: a course, say
 * @throws InvalidArgumentError where the limit is unknown, the value is out of its range, or the context is empty
 * @example
 * import { effectiveLimits, overrideLimit } from 'codejail';
 *
 * overrideLimit('realtime', 30, 'course-v1:X');
 * console.log(effectiveLimits('course-v1:X').realtime); // 30
 */
export function overrideLimit(name: LimitName, value: number | null, context: string): void {
  defaultJail.overrideLimit(name, value, context);
}

/**
 * The limits that a call of the default jail would have.
 * @param context whose overrides apply; one that is unknown overrides nothing
 * @throws InvalidArgumentError where the environment variable `CODEJAIL_PROXY` is no whole number
 * @example
 * import { effectiveLimits } from 'codejail';
 *
 * console.log(effectiveLimits().nproc); // 15
 */
export function effectiveLimits(context?: string): Limits {
  return defaultJail.effectiveLimits(context);
}

/**
 * Sets how many calls of the default jail run and wait at a time, from now on.
 * @param bounds what is absent stays as it is, and null puts the default back
 * @throws InvalidArgumentError where a number is out of its range
 * @example
 * import { setBounds, stats } from 'codejail';
 *
 * setBounds({ maxRunning: 4, maxQueue: 100, maxWaitMs: 5000 });
 * console.log(stats().queue.maxQueue); // 100
 */
export function setBounds(bounds: BoundChanges): void {
  defaultJail.setBounds(bounds);
}

/**
 * Applies Open edX's `CODE_JAIL` dictionary to the default jail. Limits that nobody has set are CodeJail's from now on
 * (`realtime` 1, `fsize` 0). Where it names a Python, the command `python` gets that program and that user, and keeps what
 * else it was configured with: a profile, `warm`, an environment.
 * @throws InvalidArgumentError naming the setting, `settings.limits.CPU`: then nothing has been applied
 * @example
 * import { applySettings, effectiveLimits } from 'codejail';
 *
 * applySettings({ limits: { CPU: 3 }, limit_overrides: { 'course-v1:X': { CPU: 10 } } });
 * console.log(effectiveLimits().cpu, effectiveLimits('course-v1:X').cpu); // 3 10
 */
export function applySettings(settings: CodeJailSettings): void {
  defaultJail.applySettings(settings);
}

/**
 * Runs a program in a jail of its own, and waits until nothing of it is left. That it fails, or reaches a limit, is told by
 * the result.
 * @param command a configured command
 * @returns what it printed, how it ended and what it used
 * @throws InvalidArgumentError, NotConfiguredError, UnconfinedError, SetupError, BusyError, ClosedError: then nothing ran;
 *   CollectError where what it left could not be brought back; the signal's reason where the call was aborted; what a
 *   callback or an iterable of yours throws
 * @example
 * import { jailCode } from 'codejail';
 *
 * const { outcome, stdout } = await jailCode('python', { code: 'print(1 + 1)', limits: { cpu: 2 } });
 * console.log(outcome, stdout.toString()); // exited 2
 */
export async function jailCode(command: string, options?: JailCodeOptions): Promise<JailResult> {
  return defaultJail.jailCode(command, options);
}

/**
 * Runs Python code as `exec(code, globals)` does, in a jail, and updates `globals` with what came back. What JSON can't
 * carry is left out, in both directions; what so did not come back is in `omitted` of the result.
 * @param code the program's text
 * @param globals the program's names and their values; an object that can be changed
 * @throws SafeExecError where the code failed or met a limit: `globals` is then as it was; InvalidArgumentError,
 *   NotConfiguredError, UnconfinedError, SetupError, BusyError, ClosedError: then nothing ran; CollectError where what it
 *   left could not be brought back; the signal's reason; what a callback or an iterable of yours throws
 * @example
 * import { safeExec } from 'codejail';
 *
 * const globals = { x: 20 };
 * await safeExec('y = x + 1', globals);
 * console.log(globals.y); // 21
 */
export async function safeExec(
  code: string,
  globals: object,
  options?: SafeExecOptions,
): Promise<SafeExecResult> {
  return defaultJail.safeExec(code, globals, options);
}

/**
 * Runs Python code in a jail with its globals as JSON text, as Python reads and writes it, so that 1.0 stays 1.0 and any
 * number of values comes back.
 * @param code the program's text
 * @param globalsJson the text of one JSON object
 * @throws SafeExecError where the code failed or met a limit; InvalidArgumentError (also where the text is no JSON object),
 *   NotConfiguredError, UnconfinedError, SetupError, BusyError, ClosedError: then nothing ran; CollectError where what it
 *   left could not be brought back; the signal's reason; what a callback or an iterable of yours throws
 * @example
 * import { safeExecJson } from 'codejail';
 *
 * const { globalsJson } = await safeExecJson('y = x / 2', '{"x": 2}');
 * console.log(globalsJson); // {"x":2,"y":1.0}
 */
export async function safeExecJson(
  code: string,
  globalsJson: string,
  options?: SafeExecOptions,
): Promise<SafeExecJsonResult> {
  return defaultJail.safeExecJson(code, globalsJson, options);
}

/**
 * Opens a session: a Python in a jail of its own that keeps its state from step to step. Its command has to be a Python; where
 * that is warm, the session opens in milliseconds.
 * @throws NotConfiguredError, InvalidArgumentError, UnconfinedError, BusyError, ClosedError; SetupError where this host or this
 *   command has no processes that wait; the signal's reason
 * @example
 * import { openSession } from 'codejail';
 *
 * const session = await openSession({ globals: { x: 20 } });
 * await session.run('def double(n): return 2 * n');
 * const { value } = await session.run('double(x) + 2');
 * console.log(value); // 42
 * await session.close();
 */
export async function openSession(options?: SessionOptions): Promise<Session> {
  return defaultJail.openSession(options);
}

/**
 * Runs Python code without any confinement and without limits, with the server's own rights: for debugging only. It takes
 * and gives what `safeExec` does. Each call emits a warning of the process (`CodeJailWarning`).
 * @throws SafeExecError where the code failed; InvalidArgumentError, NotConfiguredError, BusyError, ClosedError; the
 *   signal's reason; what a callback or an iterable of yours throws
 * @example
 * import { notSafeExec } from 'codejail';
 *
 * const globals = {};
 * await notSafeExec('import os; home = os.path.isdir("/")', globals);
 * console.log(globals.home); // true
 */
export async function notSafeExec(
  code: string,
  globals: object,
  options?: SafeExecOptions,
): Promise<SafeExecResult> {
  return defaultJail.notSafeExec(code, globals, options);
}

/**
 * What of an object would survive the trip into a jail and back: a copy, without what JSON can't carry.
 * @param value globals, as for `safeExec`
 * @throws InvalidArgumentError where it is no object
 * @example
 * import { jsonSafe } from 'codejail';
 *
 * console.log(jsonSafe({ n: 1, f: () => 1 })); // { n: 1 }
 */
export function jsonSafe(value: object): Record<string, unknown> {
  return safe(value as Record<string, unknown>);
}

/**
 * What this host guarantees, each guarantee by what, or why it is missing and the cure. Runs the probes in a jail of the
 * default jail's command `python` where there is one, else of `/bin/sh`: half a second.
 * @throws InvalidArgumentError, SetupError; the signal's reason
 * @example
 * import { inspectHost } from 'codejail';
 *
 * const { guarantees } = await inspectHost({ signal: AbortSignal.timeout(60_000) });
 * console.log(guarantees.length); // 12
 */
export async function inspectHost(options?: WaitOptions): Promise<HostReport> {
  return defaultJail.inspectHost(options);
}

/**
 * Runs the probes inside a jail that is built exactly as a command's own would be; where the command is warm, also in
 * processes like those that wait for its calls. Fit for a readiness check.
 * @param command a configured command of the default jail. Default `python`
 * @throws NotConfiguredError, InvalidArgumentError; SetupError where such a process does not hold; the signal's reason
 * @example
 * import { verify } from 'codejail';
 *
 * const { checks } = await verify('python');
 * console.log(checks.length > 50); // true
 */
export async function verify(command?: string, options?: WaitOptions): Promise<VerifyReport> {
  return defaultJail.verify(command, options);
}

/**
 * Starts what warm commands of the default jail keep ready, and waits until it stands. Without it the first calls run cold
 * meanwhile. A command that can't be warm on this host is told to the logger, and runs cold.
 * @param command one command. Default: every one that is configured `warm`
 * @throws NotConfiguredError, InvalidArgumentError, UnconfinedError; SetupError with what Python said where a module of
 *   `preload` can't be imported; the signal's reason
 * @example
 * import { configure, stats, warmUp } from 'codejail';
 *
 * configure('python', { bin: 'python3', warm: { size: 2, preload: ['json'] } });
 * await warmUp();
 * console.log(stats().pools.python.state); // ready
 */
export async function warmUp(command?: string, options?: WaitOptions): Promise<void> {
  return defaultJail.warmUp(command, options);
}

/**
 * What the default jail has done since the process began, and has now: calls, cold and warm, durations, what waits, pools.
 * A plain object, made anew at each call; it costs microseconds.
 * @example
 * import { jailCode, stats } from 'codejail';
 *
 * await jailCode('python', { code: 'print(1)' });
 * console.log(stats().cold > 0); // true
 */
export function stats(): JailStatistics {
  return defaultJail.stats();
}

export {
  hostFunction,
  type DescribedFunction,
  type HostCall,
  type HostFunction,
  type HostFunctionOptions,
  type HostFunctions,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from './functions/host-function';
export type { Jail } from './jail/jail';
export {
  outputLines,
  type LineListener,
  type OutputLines,
  type OutputLinesOptions,
} from './jail/output-lines';
export {
  CHANNELS,
  type CallMessage,
  type CellEventType,
  type CellMessage,
  type OfCommand,
  type QueueMessage,
  type SessionMessage,
  type TemplateMessage,
} from './statistics/diagnostics';
export {
  ClosedError,
  InvalidArgumentError,
  JailError,
  MissingPackageError,
  NotConfiguredError,
  SessionFileError,
  SessionLostError,
  SetupError,
  UnconfinedError,
  type JailErrorCode,
  type JailErrorDetails,
  type MissingGuarantee,
  type SessionLostReason,
} from './errors';
export { BusyError, type BusyDetails, type BusyReason } from './gate/busy-error';
export type {
  Display,
  Keep,
  Session,
  SessionFiles,
  SessionOptions,
  StepOptions,
  StepResult,
} from './session/types';
export type { Attempt } from './run/attempt';
export type { Hint } from './run/hint';
export { CollectError } from './run/collect-error';
export { codejailMessage, SafeExecError, type PythonException } from './exec/error';
export type { DurationHistogram } from './time/histogram';
export type { TenantShare } from './gate/fair-queue';
export type { QueueEvent, QueueStatistics } from './gate/queue-statistics';
export type { GuaranteeName } from './guarantee-names';
export type { LimitDefaults, LimitName, Limits } from './limits';
export type {
  BoundChanges,
  BoundOptions,
  CloseOptions,
  CommandOptions,
  ExtraFileEntry,
  JailCodeOptions,
  JailOptions,
  LogFields,
  Logger,
  LogLevel,
  SafeExecOptions,
  StructuredLogger,
  WaitOptions,
} from './options/types';
export type { WarmOptions } from './options/warm';
export type { ProbeCheck } from './proof/probe';
export type { CgroupState } from './host/cgroup';
export type { HostKind } from './host/host';
export type { GuaranteeReport, HostReport, VerifyReport } from './proof/report';
export type { Exceeded, JailResult, Outcome, Uncollected, WhyUncollected } from './run/result';
export type { StartDirectory } from './spec/files';
export type { SafeExecJsonResult, SafeExecResult } from './exec/answer';
export type { OmittedGlobal } from './exec/omitted';
export type { CodeJailSettings } from './options/settings';
export type { JailStatistics } from './statistics/calls';
export type { PoolEvent, PoolState, PoolStatistics } from './warm/pool-statistics';
export type { RecycleReason } from './warm/generation';
export type { ColdReason } from './warm/rule';
