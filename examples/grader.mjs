// Grades one submission. Each case runs in a jail of its own: its intervals go in, the answer comes
// out, and here, where no submission can reach, the answer is compared with the expected one.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { SafeExecError } from 'codejail';
import { findingOfFailure } from './finding.mjs';
import { plainText } from './plain-text.mjs';

/** What a submission may use for one case. */
export const limits = {
  // Where others are busy the same work takes twice as much of it.
  cpu: 2,
  // What is graded is CPU time: by the clock a busy host takes thirty times as long.
  realtime: 60,
  memory: 128 * 1024 * 1024,
  nproc: 15,
  fsize: 1024 * 1024,
  disk: 4 * 1024 * 1024,
  files: 200,
  output: 1024 * 1024,
};

/** After these, the other cases would only cost more time and show nothing new. */
const FINAL_VERDICTS = new Set([
  'time limit',
  'memory limit',
  'task limit',
  'disk limit',
  'output limit',
  'denied',
  'tampered',
]);

// The receipt protects nothing, because a submission can find it: it tells a forged answer from a wrong
// one. What protects the points is that the expected answers stay outside.
const call = (name) => `from submission import ${name}
answer = ${name}(intervals)
answered = receipt
`;

function textOfAnswer(answer) {
  if (answer === null) {
    return 'nothing';
  }
  const text = JSON.stringify(answer, (_, value) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  return plainText(text, 50);
}

function findingOfAnswer(globals, receipt, expected) {
  if (globals.answered !== receipt) {
    return { verdict: 'tampered', reason: 'sent an answer in the place of the grader' };
  }
  if (!Object.hasOwn(globals, 'answer')) {
    return { verdict: 'wrong', reason: 'returned something that is neither lists nor numbers' };
  }
  if (isDeepStrictEqual(globals.answer, expected)) {
    return { verdict: 'right', reason: '' };
  }
  return { verdict: 'wrong', reason: `returned ${textOfAnswer(globals.answer)}` };
}

async function runCase(jail, { source }, exercise, { intervals, expected }) {
  const receipt = randomUUID();
  try {
    const { globals } = await jail.safeExec(
      call(exercise.function),
      { intervals, receipt },
      { extraFiles: [['submission.py', source]], limits },
    );
    return findingOfAnswer(globals, receipt, expected);
  } catch (error) {
    if (!(error instanceof SafeExecError)) {
      throw error;
    }
    return findingOfFailure(error, limits);
  }
}

/**
 * Grades one submission: a point for each case that it gets right, and none at all when it tampered.
 * @param {import('codejail').Jail} jail
 * @param {{ source: string }} submission
 * @param {typeof import('./exercise.mjs').exercise} exercise
 * @param {(done: number) => void} onCase told after each case how many are done
 * @returns {Promise<{ verdict: string, reason: string, points: number, cases: number, runs: number,
 *   milliseconds: number }>} the verdict and reason of the first case that was not right
 */
export async function grade(jail, submission, exercise, onCase = () => undefined) {
  const start = performance.now();
  let points = 0;
  let runs = 0;
  let first = null;
  for (const testCase of exercise.cases) {
    const { verdict, reason } = await runCase(jail, submission, exercise, testCase);
    runs += 1;
    onCase(runs);
    if (verdict === 'right') {
      points += 1;
      continue;
    }
    if (first === null || verdict === 'tampered') {
      const where = points > 0 || verdict === 'wrong' ? `${testCase.name}: ` : '';
      first = { verdict, reason: `${where}${reason}` };
    }
    if (FINAL_VERDICTS.has(verdict)) {
      break;
    }
  }
  const { verdict, reason } = first ?? { verdict: 'right', reason: 'every answer is right' };
  return {
    verdict,
    reason,
    points: verdict === 'tampered' ? 0 : points,
    cases: exercise.cases.length,
    runs,
    milliseconds: performance.now() - start,
  };
}
