// Runs a submission once and judges what it printed; tells of output as it comes.

export const task = {
  title: 'Running total',
  text: 'Read whole numbers from standard input, one on each line. After each, print the sum of all so far.',
  input: ['4', '10', '-3', '25', '0', '-36'],
  expected: ['4', '14', '11', '36', '36', '0'],
};

const LIMITS = { cpu: 3, realtime: 20, memory: 128 * 1024 * 1024, output: 64 * 1024 };

const ENDED_BY = {
  'cpu-limit': 'It used more than 3 s of CPU time.',
  'time-limit': 'It ran for more than 20 s.',
  'memory-limit': 'It used more than 128 MB of memory.',
  'disk-limit': 'It wrote too much to disk.',
  'output-limit': 'It printed more than 64 kB.',
};

function verdictOf({ outcome, status, signal, stdout }) {
  if (outcome === 'signaled') return { right: false, reason: `It was ended by ${signal}.` };
  if (outcome !== 'exited') return { right: false, reason: ENDED_BY[outcome] };
  if (status !== 0) return { right: false, reason: `It ended with status ${status}.` };
  const lines = stdout.toString().trimEnd().split('\n');
  const at = task.expected.findIndex((line, index) => lines[index]?.trim() !== line);
  if (at >= 0) {
    return { right: false, reason: `Line ${at + 1} should be ${task.expected[at]}.` };
  }
  return lines.length > task.expected.length
    ? { right: false, reason: 'It printed more lines than numbers.' }
    : { right: true, reason: 'Every sum is right.' };
}

/**
 * @param {import('codejail').Jail} jail
 * @param {string} code
 * @param {(event: object) => void} tell
 * @param {AbortSignal} signal
 */
export async function judge(jail, code, tell, signal) {
  const result = await jail.jailCode('python', {
    code,
    stdin: `${task.input.join('\n')}\n`,
    limits: LIMITS,
    signal,
    onStdoutText: (text) => tell({ type: 'output', text }),
    onStderrText: (text) => tell({ type: 'complaint', text }),
  });
  const { usage, hints } = result;
  tell({
    type: 'verdict',
    ...verdictOf(result),
    hints: hints.map(({ message }) => message),
    seconds: usage.wallMs / 1000,
  });
}
