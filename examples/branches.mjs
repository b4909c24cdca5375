// How much faster many cases are in branches of one session than in a call each.
import { JailError } from 'codejail';
import { limits } from './grader.mjs';

const CASES = 40;
const CALLS = 5;
const GIVEN = [
  [2, 6],
  [1, 4],
];
const EXPECTED = '[[1, 6]]';

async function millisecondsOfEach(count, run) {
  const start = performance.now();
  for (let left = count; left > 0; left -= 1) {
    await run();
  }
  return (performance.now() - start) / count;
}

function requireAnswer(answer) {
  if (answer !== EXPECTED) {
    throw new Error(`a right submission answered ${answer}`);
  }
}

/**
 * Runs some cases of a right submission in branches, and some in a call each.
 * @param {import('codejail').Jail} jail
 * @param {string} source of a submission that is right
 * @param {string} name of its function
 * @returns {Promise<string>} a line for people
 */
export async function branchesText(jail, source, name) {
  const extraFiles = [['submission.py', source]];
  const { cpu, realtime, output, ...whole } = limits;
  let session;
  try {
    session = await jail.openSession({ extraFiles, limits: { ...whole, cpu, realtime } });
  } catch (error) {
    if (!(error instanceof JailError)) throw error;
    return `Sessions can't be had here: ${error.message}`;
  }
  try {
    await session.run(`from submission import ${name}`);
    const options = { globals: { given: GIVEN }, keep: 'never', limits: { cpu, realtime, output } };
    const branch = await millisecondsOfEach(CASES, async () => {
      const { value } = await session.run(`[*map(list, ${name}(given))]`, options);
      requireAnswer(value);
    });
    const call = await millisecondsOfEach(CALLS, async () => {
      const globals = { given: GIVEN };
      const code = `from submission import ${name}\nanswer = repr([*map(list, ${name}(given))])`;
      await jail.safeExec(code, globals, { extraFiles, limits });
      requireAnswer(globals.answer);
    });
    return (
      `${CASES} cases in branches of a session that loaded a submission once: ${branch.toFixed(1)} ms each. ` +
      `In a jail each: ${call.toFixed(1)} ms, ${(call / branch).toFixed(0)} times as long.`
    );
  } finally {
    await session.close();
  }
}
