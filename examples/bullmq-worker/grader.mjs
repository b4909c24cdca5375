// Grades one submission against cases of standard input and output, and tells of each as it is done.
const LIMITS = { cpu: 3, realtime: 20, memory: 128 * 1024 * 1024, output: 64 * 1024 };

function verdictOf({ outcome, status, stdout }, expected) {
  if (outcome !== 'exited') return outcome;
  if (status !== 0) return 'crashed';
  return stdout.toString().trimEnd() === expected ? 'right' : 'wrong';
}

/**
 * @param {import('codejail').Jail} jail
 * @param {{ source: string, cases: { input: string, expected: string }[] }} submission
 * @param {string} slug what logs and traces call it
 * @param {(done: { case: number, verdict: string }) => Promise<void>} onCase
 */
export async function grade(jail, { source, cases }, slug, onCase) {
  const verdicts = [];
  for (const [index, { input, expected }] of cases.entries()) {
    const result = await jail.jailCode('python', {
      ...{ code: source, stdin: input, limits: LIMITS, slug },
    });
    const verdict = verdictOf(result, expected);
    verdicts.push(verdict);
    await onCase({ case: index, verdict });
  }
  return { points: verdicts.filter((verdict) => verdict === 'right').length, verdicts };
}
