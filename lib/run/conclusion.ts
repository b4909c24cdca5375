// What a program's end comes to: its result, or why there is none.
import { SetupError } from '../errors';
import type { NativeCgroupEnd, NativeEvent } from '../native/addon';
import { setupError } from '../native/failure';
import { readReport, type NativeReport } from '../native/report';
import { stepOf } from '../native/steps';
import type { Attempt } from './attempt';
import { collectError, collectFiles, collectLimit, type Collection } from './collect';
import { CollectError } from './collect-error';
import { hintsOf } from './hints';
import type { Remains } from './memory-failure';
import { endingOf, signalOf, wasOutOfMemory, type Ending, type StopReason } from './outcome';
import type { Outputs } from './outputs';
import type { JailResult } from './result';
import type { Note, RunCall, RunPlan } from './run-call';

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

/** What the server knows of a program that has ended. Times are in milliseconds of `process.hrtime`. */
export interface EndedRun {
  call: RunCall;
  plan: RunPlan;
  ended: Ended;
  /** What the kernel says of its cgroup, where it had one. */
  cgroup: NativeCgroupEnd | undefined;
  outputs: Outputs;
  attempts: readonly Attempt[];
  /** Where it ran; empty where it did not start. */
  directory: string;
  calledAt: number;
  startedMs: number | undefined;
  endedMs: number;
  /** Why the server ended it, where it did. */
  stopped: StopReason | undefined;
  note: Note;
}

const KILLED = -9;
const nothingCollected = (): Collection => ({ collected: [], uncollected: [] });

function isAppArmor(mechanism: string): boolean {
  return mechanism.startsWith('apparmor:');
}

/** A launcher that was killed has not said whether the profile was in force to the end. */
function inForce({ plan, note }: EndedRun, report: NativeReport | undefined): readonly string[] {
  const { mechanisms } = plan;
  if (report?.profileLost === false) {
    return mechanisms;
  }
  const profile = mechanisms.find(isAppArmor);
  if (report !== undefined && profile !== undefined) {
    note(
      'warn',
      `the profile ${profile} was removed or changed while the program ran, which was not confined by it from then on`,
    );
  }
  return mechanisms.filter((name) => !isAppArmor(name));
}

/** What a program that failed has left. */
function remainsOf({ outputs: { stdout, stderr }, plan }: EndedRun): Remains {
  const isWarm = plan.mechanisms.includes('warm');
  return { stdout: stdout.bytes(), stderr: stderr.bytes(), isWarm };
}

/** Why it failed, where it did. */
function hintsAt(
  { call, plan, outputs, directory, attempts }: EndedRun,
  end: Ending & { status: number },
  report: NativeReport | undefined,
): JailResult['hints'] {
  return end.status === 0 && end.outcome === 'exited'
    ? []
    : hintsOf({
        ...end,
        signal: signalOf(end.status),
        ...{ report, limits: call.limits, stderr: outputs.stderr.bytes() },
        ...{ directory, mayExec: plan.mayExec, attempts },
      });
}

/** Throws where the jail failed, and not the program. */
function requireReport(run: EndedRun, report: NativeReport | undefined): number {
  const { ended, cgroup, startedMs, stopped } = run;
  const hasStarted = startedMs !== undefined;
  const wasKilled = stopped !== undefined || wasOutOfMemory(cgroup);
  if (startedMs === undefined || (report === undefined && !wasKilled)) {
    throw new SetupError('supervise', 0, {
      hasStarted,
      detail:
        (cgroup?.oomKills ?? 0) > 0
          ? "memory ran out outside of the jail, on the host or in the server's own cgroup"
          : `the launcher ended unexpectedly, with status ${ended.launcherStatus ?? '?'}`,
    });
  }
  return startedMs;
}

/** What it used, as its launcher says; else as the kernel does, where it had a cgroup. */
function usageOf(
  { call, cgroup, calledAt }: EndedRun,
  { startedMs, wallMs }: { startedMs: number; wallMs: number },
  report: NativeReport | undefined,
): JailResult['usage'] {
  return {
    wallMs,
    queuedMs: call.queuedMs ?? 0,
    setupMs: Math.max(0, startedMs - calledAt),
    userMs: report?.userMs ?? cgroup?.userMs ?? 0,
    systemMs: report?.systemMs ?? cgroup?.systemMs ?? 0,
    cpuMs: report?.cpuMs ?? (cgroup?.userMs ?? 0) + (cgroup?.systemMs ?? 0),
    maxRssBytes: report?.peakRssBytes ?? cgroup?.peakBytes ?? 0,
  };
}

/**
 * What a program's end comes to.
 * @throws SetupError where the jail failed; CollectError where its files could not be collected
 */
export async function conclude(run: EndedRun): Promise<RunResult> {
  const { call, ended, cgroup, outputs } = run;
  const { limits } = call;
  if (ended.failure !== undefined) {
    // A cell's call has begun when its files are written; only what supervises fails later.
    const step = stepOf(ended.failure.stepNumber);
    throw setupError(ended.failure, run.startedMs !== undefined && step === 'supervise');
  }
  const report = ended.report === undefined ? undefined : readReport(ended.report);
  const startedMs = requireReport(run, report);
  const wallMs = Math.max(0, run.endedMs - startedMs);
  const ending = endingOf(outputs.areOver ? 'output' : run.stopped, report, limits, {
    wallMs,
    outputBytes: outputs.mostSeen,
    cgroup,
    remains: report?.status === 0 ? undefined : remainsOf(run),
  });
  const status = report?.status ?? KILLED;
  const confinement = inForce(run, report);
  const usage = usageOf(run, { startedMs, wallMs }, report);
  const resultOf = (
    { outcome, exceeded }: Ending,
    { collected, uncollected }: Collection,
  ): RunResult => ({
    channel: outputs.channel?.bytes() ?? Buffer.alloc(0),
    result: {
      status,
      signal: signalOf(status),
      ...{ outcome, exceeded },
      attempts: [...run.attempts],
      hints: hintsAt(run, { status, outcome, exceeded }, report),
      stdout: outputs.stdout.bytes(),
      stderr: outputs.stderr.bytes(),
      usage,
      ...{ collected, uncollected },
      confinement: [...confinement],
    },
  });
  if (call.collect.length === 0) {
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
    const found = await collectFiles(ended.tmpDirectory, call.collect, limit.allowed);
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
