// What a run's end means: the outcome, and the evidence for it.
import { constants } from 'node:os';
import type { Limits } from '../limits';
import type { NativeCgroupEnd } from '../native/addon';
import { Verdict, type NativeReport } from '../native/report';
import { lastLines, pythonEnd } from './last-words';
import { memoryFailure, type Remains } from './memory-failure';
import type { JailResult } from './result';

/** Why the server ended the run, if it did. */
export type StopReason = 'time' | 'output';

/** How a program ended. */
export type Ending = Pick<JailResult, 'outcome' | 'exceeded'>;

const { signals } = constants;
const MILLISECONDS = 1000;
// The limit goes by ticks, the account by the clock: a fifth apart was seen on a machine whose host was busy.
const COUNTED_ALIKE = 0.5;

/** The name of the signal that a status means, or null. */
export function signalOf(status: number): NodeJS.Signals | null {
  if (status >= 0) {
    return null;
  }
  const found = Object.entries(signals).find(([, number]) => number === -status);
  return found === undefined ? null : (found[0] as NodeJS.Signals);
}

function cpuEnding(report: NativeReport, limits: Limits): Ending | undefined {
  const seconds = report.cpuMs / MILLISECONDS;
  // A program may raise these signals itself: only with the time spent are they the limit's.
  const byKernel =
    limits.cpu > 0 &&
    seconds >= limits.cpu * COUNTED_ALIKE &&
    (report.status === -signals.SIGXCPU || report.status === -signals.SIGKILL);
  if (report.verdict !== Verdict.cpu && !byKernel) {
    return undefined;
  }
  return {
    outcome: 'cpu-limit',
    exceeded: { limit: 'cpu', allowed: limits.cpu, measured: seconds },
  };
}

// A program that had extra time ended by itself, or by that time's end: it was too slow either way.
function lateEnding(report: NativeReport, limits: Limits, wallMs: number): Ending | undefined {
  const cpu = report.cpuMs / MILLISECONDS;
  const realtime = wallMs / MILLISECONDS;
  if (limits.extraTime === 0) {
    return undefined;
  }
  if (limits.cpu > 0 && cpu > limits.cpu) {
    return {
      outcome: 'cpu-limit',
      exceeded: { limit: 'cpu', allowed: limits.cpu, measured: cpu },
    };
  }
  return limits.realtime > 0 && realtime > limits.realtime
    ? {
        outcome: 'time-limit',
        exceeded: { limit: 'realtime', allowed: limits.realtime, measured: realtime },
      }
    : undefined;
}

/** A runtime that ignores SIGXFSZ, as Python does, is told by an errno; what it says of that is all that there is of it. */
function saysFileTooLarge(
  { status, diskFull }: NativeReport,
  { fsize }: Limits,
  remains: Remains | undefined,
): boolean {
  const end = remains === undefined ? undefined : pythonEnd(lastLines(remains.stderr));
  return (
    status > 0 &&
    fsize > 0 &&
    !diskFull &&
    end?.type === 'OSError' &&
    end.message.startsWith(`[Errno ${constants.errno.EFBIG}] `)
  );
}

// A full disk alone is no crime: only a program that failed on it is said to have reached the limit.
function diskEnding(
  report: NativeReport,
  limits: Limits,
  remains: Remains | undefined,
): Ending | undefined {
  if (report.status === -signals.SIGXFSZ || saysFileTooLarge(report, limits, remains)) {
    return {
      outcome: 'disk-limit',
      exceeded: { limit: 'fsize', allowed: limits.fsize, measured: null },
    };
  }
  if (report.status !== 0 && report.diskFull) {
    return {
      outcome: 'disk-limit',
      exceeded: { limit: 'disk', allowed: limits.disk, measured: report.diskBytes },
    };
  }
  if (report.status !== 0 && report.filesFull) {
    return {
      outcome: 'disk-limit',
      exceeded: { limit: 'files', allowed: limits.files, measured: report.diskFiles },
    };
  }
  return undefined;
}

function refusedEnding(
  report: NativeReport,
  limits: Limits,
  remains: Remains | undefined,
): Ending | undefined {
  const exceeded = remains === undefined ? undefined : memoryFailure(report, limits, remains);
  return exceeded === undefined ? undefined : { outcome: 'memory-limit', exceeded };
}

/** Whether the kernel ended the jail because its cgroup's own limit of memory was reached. */
export function wasOutOfMemory(cgroup: NativeCgroupEnd | undefined): boolean {
  return cgroup !== undefined && cgroup.overLimit && cgroup.oomKills > 0;
}

/**
 * Reads the outcome from the launcher's report and from what the server itself saw.
 * @param stopped why the server asked the launcher to end the program, if it did
 * @param report missing when the launcher had to be killed
 * @param seen the program's running time, the bytes of the larger of its outputs, what the kernel says of the jail's
 *   cgroup, and what it printed
 */
export function endingOf(
  stopped: StopReason | undefined,
  report: NativeReport | undefined,
  limits: Limits,
  seen: {
    wallMs: number;
    outputBytes: number;
    cgroup?: NativeCgroupEnd | undefined;
    remains?: Remains | undefined;
  },
): Ending {
  // A program that ended by itself just before it was to be stopped was not stopped.
  const wasStopped =
    stopped !== undefined && (report === undefined || report.verdict === Verdict.stopped);
  if (seen.cgroup !== undefined && wasOutOfMemory(seen.cgroup)) {
    return {
      outcome: 'memory-limit',
      exceeded: {
        limit: 'memory',
        allowed: limits.memory,
        measured: seen.cgroup.peakBytes === 0 ? null : seen.cgroup.peakBytes,
        how: 'counted',
      },
    };
  }
  if (stopped === 'output') {
    return {
      outcome: 'output-limit',
      exceeded: { limit: 'output', allowed: limits.output, measured: seen.outputBytes },
    };
  }
  if (wasStopped) {
    return {
      outcome: 'time-limit',
      exceeded: {
        limit: 'realtime',
        allowed: limits.realtime,
        measured: seen.wallMs / MILLISECONDS,
      },
    };
  }
  if (report === undefined) {
    return { outcome: 'signaled', exceeded: null };
  }
  if (report.verdict === Verdict.memory) {
    return {
      outcome: 'memory-limit',
      exceeded: {
        limit: 'memory',
        allowed: limits.memory,
        measured: report.peakMemoryBytes,
        how: 'counted',
      },
    };
  }
  return (
    cpuEnding(report, limits) ??
    lateEnding(report, limits, seen.wallMs) ??
    diskEnding(report, limits, seen.remains) ??
    refusedEnding(report, limits, seen.remains) ?? {
      outcome: report.status < 0 ? 'signaled' : 'exited',
      exceeded: null,
    }
  );
}
