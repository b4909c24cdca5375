// Grades a file: `npm start -- solution.py`
import { readFileSync } from 'node:fs';
import { createJail } from 'codejail';
import { exercise } from './exercise.mjs';
import { grade } from './grader.mjs';

const SOLUTION = `
def steps(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count
`;

const jail = createJail();
const path = process.argv[2];
const start = performance.now();
const { points, verdicts } = await grade(
  jail,
  path === undefined ? SOLUTION : readFileSync(path, 'utf8'),
  exercise,
);
console.log(`${points} of ${verdicts.length} points, ${(performance.now() - start).toFixed(0)} ms`);
const first = verdicts.find(({ verdict }) => verdict !== 'right');
if (first !== undefined) console.log(`${first.verdict} ${first.reason}`);
await jail.close();
