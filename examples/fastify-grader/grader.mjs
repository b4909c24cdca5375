// Grades one submission: each case in a jail of its own, of which nothing is left for the next.
import { isDeepStrictEqual } from 'node:util';
import { SafeExecError } from 'codejail';

const LIMITS = { cpu: 3, realtime: 20, memory: 128 * 1024 * 1024 };

/** What kept a submission from its points, in words for its author. */
function reasonOf({ exception, exceeded, result }) {
  if (exceeded !== null) return result.outcome;
  return exception === null ? 'no answer' : `${exception.type}: ${exception.message}`.slice(0, 200);
}

async function runCase(jail, source, exercise, testCase, call) {
  try {
    const { globals } = await jail.safeExec(
      `from submission import ${exercise.function}\nanswer = ${exercise.function}(*arguments)\n`,
      { arguments: testCase.arguments },
      { ...call, extraFiles: [['submission.py', source]], limits: LIMITS },
    );
    return isDeepStrictEqual(globals.answer, testCase.expected) ? null : 'wrong answer';
  } catch (error) {
    // Anything else is the server's: it is busy, it is closing, the client has gone.
    if (!(error instanceof SafeExecError)) throw error;
    return reasonOf(error);
  }
}

/**
 * @param {import('codejail').Jail} jail
 * @param {string} source the submission
 * @param {{ function: string, cases: { arguments: unknown[], expected: unknown }[] }} exercise
 * @param {{ tenant?: string, slug?: string, signal?: AbortSignal }} call
 * @returns {Promise<{ points: number, of: number, reason: string | null }>} with why its first case failed
 */
export async function grade(jail, source, exercise, call) {
  let points = 0;
  let reason = null;
  for (const testCase of exercise.cases) {
    const failure = await runCase(jail, source, exercise, testCase, call);
    if (failure === null) points += 1;
    else reason ??= failure;
  }
  return { points, of: exercise.cases.length, reason };
}
