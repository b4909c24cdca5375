// `npm run demo`: what a newcomer tries first.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();
jest.setTimeout(600_000);

it('grades each submission as expected', () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(__dirname, '../../examples/demo.mjs')],
    { encoding: 'utf8' },
  );
  const told = stdout.slice(stdout.lastIndexOf('┘'));
  expect(told).toContain('Each was graded as expected');
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});
