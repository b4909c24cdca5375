/**
 * codejail: runs untrusted programs in a locked-down process and gives back what they printed, how
 * they ended and what they used. The functions here are those of one default jail; `createJail` makes
 * others.
 * @packageDocumentation
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
import type { JailStatistics } from './statistics/calls';

const defaultJail = new Jail();

/**
 * Makes a jail of its own: commands and limits that no other jail shares.
 * @throws InvalidArgumentError
 * @example await using jail = createJail({ commands: { python: '/opt/sandbox/bin/python' } });
 */
export function createJail(options?: JailOptions): Jail {
  return new Jail(options);
}

/** As `Jail.configure`, for the default jail. */
export function configure(command: string, options: string | CommandOptions): void {
  defaultJail.configure(command, options);
}

/** As `Jail.isConfigured`, for the default jail. */
export function isConfigured(command: string): boolean {
  return defaultJail.isConfigured(command);
}

/** As `Jail.setLimit`, for the default jail. */
export function setLimit(name: LimitName, value: number | null): void {
  defaultJail.setLimit(name, value);
}

/** As `Jail.overrideLimit`, for the default jail. */
export function overrideLimit(name: LimitName, value: number | null, context: string): void {
  defaultJail.overrideLimit(name, value, context);
}

/** As `Jail.effectiveLimits`, for the default jail. */
export function effectiveLimits(context?: string): Limits {
  return defaultJail.effectiveLimits(context);
}

/** As `Jail.setBounds`, for the default jail. */
export function setBounds(bounds: BoundChanges): void {
  defaultJail.setBounds(bounds);
}

/** As `Jail.applySettings`, for the default jail. */
export function applySettings(settings: CodeJailSettings): void {
  defaultJail.applySettings(settings);
}

/** As `Jail.jailCode`, in the default jail. */
export async function jailCode(command: string, options?: JailCodeOptions): Promise<JailResult> {
  return defaultJail.jailCode(command, options);
}

/** As `Jail.safeExec`, in the default jail. */
export async function safeExec(
  code: string,
  globals: object,
  options?: SafeExecOptions,
): Promise<SafeExecResult> {
  return defaultJail.safeExec(code, globals, options);
}

/** As `Jail.safeExecJson`, in the default jail. */
export async function safeExecJson(
  code: string,
  globalsJson: string,
  options?: SafeExecOptions,
): Promise<SafeExecJsonResult> {
  return defaultJail.safeExecJson(code, globalsJson, options);
}

/** As `Jail.notSafeExec`, in the default jail. Unconfined; warns on every call. */
export async function notSafeExec(
  code: string,
  globals: object,
  options?: SafeExecOptions,
): Promise<SafeExecResult> {
  return defaultJail.notSafeExec(code, globals, options);
}

/** What would survive the trip into a jail and back. */
export function jsonSafe(value: object): Record<string, unknown> {
  return safe(value as Record<string, unknown>);
}

/** As `Jail.inspectHost`, for the default jail. */
export async function inspectHost(options?: WaitOptions): Promise<HostReport> {
  return defaultJail.inspectHost(options);
}

/** As `Jail.verify`, for the default jail. */
export async function verify(command?: string, options?: WaitOptions): Promise<VerifyReport> {
  return defaultJail.verify(command, options);
}

/** As `Jail.warmUp`, for the default jail. */
export async function warmUp(command?: string, options?: WaitOptions): Promise<void> {
  return defaultJail.warmUp(command, options);
}

/** As `Jail.stats`, for the default jail. */
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
  type CellMessage,
  type QueueMessage,
  type TemplateMessage,
} from './statistics/diagnostics';
export {
  BusyError,
  ClosedError,
  InvalidArgumentError,
  JailError,
  MissingPackageError,
  NotConfiguredError,
  SetupError,
  UnconfinedError,
  type BusyReason,
  type JailErrorCode,
  type MissingGuarantee,
} from './errors';
export type { Attempt } from './run/attempt';
export type { Hint } from './run/hint';
export { CollectError } from './run/collect-error';
export { codejailMessage, SafeExecError, type PythonException } from './exec/error';
export type { DurationHistogram } from './time/histogram';
export type { TenantShare } from './gate/fair-queue';
export type { QueueStatistics } from './gate/queue-statistics';
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
export type { SafeExecJsonResult, SafeExecResult } from './exec/answer';
export type { OmittedGlobal } from './exec/omitted';
export type { CodeJailSettings } from './options/settings';
export type { JailStatistics } from './statistics/calls';
export type { PoolState, PoolStatistics } from './warm/pool-statistics';
export type { RecycleReason } from './warm/generation';
export type { ColdReason } from './warm/rule';
