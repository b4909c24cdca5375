// What each kind of submission gets. `node --test`
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createJail } from 'codejail';
import { exercise } from './exercise.mjs';
import { grade } from './grader.mjs';

const jail = createJail();
after(() => jail.close());

const RIGHT = `
def steps(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count
`;
const few = { ...exercise, cases: exercise.cases.slice(0, 8) };
const verdictsOf = async (source) => {
  const { points, verdicts } = await grade(jail, source, few);
  return { points, verdicts: verdicts.map(({ verdict, reason }) => `${verdict} ${reason}`.trim()) };
};

test('a right one gets a point for each of a hundred cases', async () => {
  assert.equal((await grade(jail, RIGHT, exercise)).points, 100);
});

test('no case sees what another one did to the state', async () => {
  const { points } = await grade(
    jail,
    `calls = 0\n${RIGHT.replace('count = 0', 'global calls; calls += 1; assert calls == 1; count = 0')}`,
    few,
  );
  assert.equal(points, 8);
});

test('an endless loop in one case costs that case alone', async () => {
  const { points, verdicts } = await verdictsOf(
    RIGHT.replace('count = 0', 'count = 0\n    while n == 15: pass'),
  );
  assert.equal(points, 7);
  assert.equal(verdicts[2], 'cpu-limit');
});

test('what a submission raises is told with its line', async () => {
  const { points, verdicts } = await verdictsOf(
    RIGHT.replace('count = 0', 'count = 1 // (n - 8) * 0'),
  );
  assert.equal(points, 7);
  assert.match(verdicts[1], /^crashed ZeroDivisionError in line 3: /);
});

test('one that can not be loaded gets nothing, and why', async () => {
  const { points, verdicts } = await verdictsOf('def steps(n:\n');
  assert.equal(points, 0);
  assert.match(verdicts[7], /^crashed SyntaxError/);
});
