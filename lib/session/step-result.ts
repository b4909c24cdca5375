// The result of a step: as a call's, and what a prompt would show.
import type { Limits } from '../limits';
import { CollectError } from '../run/collect-error';
import { collectError, collectFiles, collectLimit } from '../run/collect';
import { hintsOf } from '../run/hints';
import { endingOf, signalOf } from '../run/outcome';
import type { JailResult } from '../run/result';
import { noAnswer, readStepAnswer, type StepAnswer } from './answer';
import type { StepEnd, Step } from './step';
import type { StepRunEnd } from './step-run';
import type { StepResult } from './types';

/** What is known of a step that has ended, or is done. */
export interface StepOutcome {
  step: Step;
  end: StepEnd;
  run: StepRunEnd;
  limits: Limits;
  collect: readonly string[];
  /** The descriptor of the session's `tmp`. */
  tmpDirectory: number;
  directory: string;
  mechanisms: readonly string[];
  queuedMs: number;
  setupMs: number;
}

const FAILED = 1;

/** A result, but for what becomes of the state. */
export type Unkept = Omit<StepResult, 'state' | 'branchable'>;

/**
 * Reads what a step has left.
 * @returns its result, and whether it may be kept
 * @throws CollectError
 */
export async function stepResult(
  outcome: StepOutcome,
): Promise<{ result: Unkept; isWhole: boolean }> {
  const { step, end, run, limits } = outcome;
  const answered = end.what === 'done' ? await readStepAnswer(step.channel.bytes()) : null;
  const answer: StepAnswer | null = typeof answered === 'string' ? noAnswer(answered) : answered;
  const stdout = step.stdout.bytes();
  const stderr = step.stderr.bytes();
  const status =
    end.what === 'ended'
      ? end.report.status
      : answer === null || answer.exception === null
        ? 0
        : FAILED;
  const report = { ...end.report, status };
  const wallMs = Math.max(0, run.endedAt - run.startedAt);
  const outputBytes = Math.max(step.stdout.seen, step.stderr.seen, step.channel.seen);
  const ending = endingOf(run.stopped, report, limits, {
    ...{ wallMs, outputBytes },
    remains: status === 0 ? undefined : { stdout, stderr, isWarm: true },
  });
  const isOk = status === 0 && ending.outcome === 'exited';
  const result: Unkept = {
    status,
    signal: signalOf(status),
    ...ending,
    attempts: [],
    hints: isOk
      ? []
      : hintsOf({
          ...{ status, signal: signalOf(status), ...ending },
          ...{ stderr, limits, report, directory: outcome.directory },
          ...{ mayExec: false, attempts: [] },
        }),
    ...{ stdout, stderr },
    usage: {
      wallMs,
      queuedMs: outcome.queuedMs,
      setupMs: outcome.setupMs,
      userMs: report.userMs,
      systemMs: report.systemMs,
      cpuMs: report.cpuMs,
      maxRssBytes: report.peakRssBytes,
    },
    ...{ collected: [], uncollected: [] },
    confinement: [...outcome.mechanisms],
    value: answer?.value ?? null,
    display: answer?.display ?? [],
    globals: answer?.globals ?? {},
    omitted: answer?.omitted ?? [],
    exception: answer?.exception ?? null,
  };
  if (outcome.collect.length > 0) {
    Object.assign(result, await collected(outcome, result));
  }
  return { result, isWhole: end.what === 'done' && typeof answered !== 'string' };
}

async function collected(
  { tmpDirectory, collect, limits }: StepOutcome,
  result: JailResult,
): Promise<Partial<JailResult>> {
  const limit = collectLimit(limits);
  if (tmpDirectory < 0) {
    throw new CollectError(0, result, {
      detail: 'the directory of the session was not handed over',
    });
  }
  try {
    const found = await collectFiles(tmpDirectory, collect, limit.allowed);
    return found ?? { outcome: 'output-limit', exceeded: { ...limit, measured: null } };
  } catch (cause) {
    throw collectError(cause, result);
  }
}
