// Grades a folder of submissions against an exercise with hidden test cases. `npm run demo`
// Exit status: 0 when every submission got the grade that is expected of it, 1 when one did not,
// 2 when this host can't run jails.
import { fileURLToPath } from 'node:url';
import { createJail, JailError } from 'codejail';
import pico from 'picocolors';
import { branchesText } from './branches.mjs';
import { exercise } from './exercise.mjs';
import { grade } from './grader.mjs';
import { guaranteesText } from './guarantees.mjs';
import { hasOwnSession, runAgain } from './own-session.mjs';
import { Progress } from './progress.mjs';
import { readSubmissions } from './submission.mjs';
import { gradesTable } from './table.mjs';

const directory = fileURLToPath(new URL('submissions', import.meta.url));

function say(...lines) {
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function gradeAll(jail, submissions) {
  const progress = new Progress(process.stderr, submissions.length);
  const grades = [];
  try {
    for (const [index, submission] of submissions.entries()) {
      const show = (cases) => {
        progress.show(index + cases / exercise.cases.length, submission.name);
      };
      show(0);
      grades.push({ ...submission, ...(await grade(jail, submission, exercise, show)) });
    }
  } finally {
    progress.clear();
  }
  return grades;
}

function unexpectedOf(grades) {
  return grades
    .filter(({ verdict, points, expected }) => {
      return verdict !== expected.verdict || points !== expected.points;
    })
    .map(
      ({ name, verdict, points, expected }) =>
        `  ${name}: ${verdict} with ${points}, expected ${expected.verdict} with ${expected.points}`,
    );
}

async function main() {
  const jail = createJail();
  try {
    const report = await jail.inspectHost();
    say('', guaranteesText(report), '');
    if (!report.confined) {
      say('Nothing was graded: cure what is missing above first.');
      return 2;
    }
    if (!jail.isConfigured('python')) {
      say('Nothing was graded: there is no python3. Install it (sudo apt-get install -y python3).');
      return 2;
    }
    const start = performance.now();
    const submissions = readSubmissions(directory);
    const grades = await gradeAll(jail, submissions);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const runs = grades.reduce((sum, { runs: some }) => sum + some, 0);
    say(gradesTable(grades), '');
    say(`${grades.length} submissions in ${runs} jails, ${seconds} s.`);
    const { source } = submissions.find(({ expected }) => expected.verdict === 'right');
    say(await branchesText(jail, source, exercise.function));
    const unexpected = unexpectedOf(grades);
    if (unexpected.length > 0) {
      say(pico.red('Not graded as expected:'), ...unexpected);
      return 1;
    }
    say(pico.green('Each was graded as expected, and this server is still alive.'));
    return 0;
  } finally {
    await jail.close();
  }
}

try {
  process.exitCode = hasOwnSession() ? await main() : await runAgain();
} catch (error) {
  if (!(error instanceof JailError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
