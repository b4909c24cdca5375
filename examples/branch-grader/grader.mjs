// Loads a submission once, and tries each hidden case in a branch of that state which is thrown away.
import { isDeepStrictEqual } from 'node:util';
import { SessionLostError } from 'codejail';

const MEBIBYTE = 1024 * 1024;
// The branches that run at a time share memory, tasks and tmp: what they have together.
const SESSION = { memory: 512 * MEBIBYTE, nproc: 32, disk: 8 * MEBIBYTE, cpu: 5, realtime: 60 };
const CASE = { cpu: 3, realtime: 30, output: 64 * 1024 };
const AT_A_TIME = 4;

function verdictOf({ outcome, exception, globals }, expected) {
  if (outcome !== 'exited') return { verdict: outcome, reason: '' };
  if (exception !== null) {
    // The last line of the submission's own that was running.
    const line = [...exception.traceback.matchAll(/submission\.py", line (\d+)/g)].at(-1)?.[1];
    const where = line === undefined ? '' : ` in line ${line}`;
    return { verdict: 'crashed', reason: `${exception.type}${where}: ${exception.message}` };
  }
  // Compared here, where no submission can reach.
  return isDeepStrictEqual(globals.answer, expected)
    ? { verdict: 'right', reason: '' }
    : { verdict: 'wrong', reason: '' };
}

async function tryCase(session, name, { given, expected }) {
  try {
    const result = await session.run(`answer = ${name}(given)`, {
      ...{ globals: { given }, get: ['answer'], keep: 'never', limits: CASE },
    });
    return verdictOf(result, expected);
  } catch (error) {
    if (!(error instanceof SessionLostError)) throw error;
    // Only what the submission did to its own jail ends it.
    return { verdict: 'tampered', reason: error.message };
  }
}

/**
 * Grades a submission.
 * @param {import('codejail').Jail} jail
 * @param {string} source
 * @param {{ name: string, cases: { given: unknown, expected: unknown }[] }} exercise `name` of the function that was asked for
 * @returns {Promise<{ points: number, verdicts: { verdict: string, reason: string }[] }>} a verdict for each case
 */
export async function grade(jail, source, { name, cases }) {
  const session = await jail.openSession({
    extraFiles: [['submission.py', source]],
    limits: SESSION,
  });
  try {
    const loaded = await session.run(`from submission import ${name}`, { keep: 'on-success' });
    if (loaded.state !== 'advanced') {
      const { verdict, reason } = verdictOf(loaded, undefined);
      return { points: 0, verdicts: cases.map(() => ({ verdict, reason })) };
    }
    const verdicts = [];
    const waiting = cases.entries();
    const work = async () => {
      for (const [index, testCase] of waiting) {
        verdicts[index] = await tryCase(session, name, testCase);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return { points: verdicts.filter(({ verdict }) => verdict === 'right').length, verdicts };
  } finally {
    await session.close();
  }
}
