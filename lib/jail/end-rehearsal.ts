// The end of a call, gone over while its program runs: after a pause nothing of that is in the processor's caches any
// more, the server has nothing else to do meanwhile, and the caller waits for the end.
import { AnswerReader, readGlobals } from '../exec/answer';
import { updateGlobals } from '../json/merge';
import type { Limits } from '../limits';
import { readReport, REPORT_NUMBERS } from '../native/report';
import { endingOf, signalOf } from '../run/outcome';
import type { JailResult } from '../run/result';
import { CallStatistics } from '../statistics/calls';

const NOTHING = Buffer.alloc(0);
const ANSWER = Buffer.from('G{"a": 17}');
const NUMBERS = new Float64Array(REPORT_NUMBERS);
const statistics = new CallStatistics();

/** Ends a call that never was, as one ends that went well. Nothing is told or counted of it. */
export async function rehearseEnd(limits: Limits): Promise<void> {
  const reader = new AnswerReader(readGlobals);
  reader.foresee(ANSWER);
  const report = readReport(NUMBERS);
  const { status } = report;
  const result: JailResult = {
    ...{ status, signal: signalOf(status), stdout: NOTHING, stderr: NOTHING },
    ...endingOf(undefined, report, limits, { wallMs: 1, outputBytes: 0 }),
    usage: { wallMs: 1, queuedMs: 0, setupMs: 0, userMs: 0, systemMs: 0, cpuMs: 0, maxRssBytes: 0 },
    ...{ hints: [], attempts: [], collected: [], uncollected: [], confinement: [] },
  };
  statistics.end({
    ...{ command: '', slug: null, path: 'warm', whyCold: null, outcome: result.outcome, result },
    ...{ error: null, milliseconds: 1, queuedMs: 0 },
  });
  const { content } = await reader.read(result, ANSWER);
  updateGlobals({}, content.globals, content.names);
}

/** As `rehearseEnd`, in passing. */
export function primeEnd(limits: Limits): void {
  // It is for speed only.
  rehearseEnd(limits).catch(() => undefined);
}
