// That the harness does in Jest what it does here. `node --test`
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const directory = dirname(fileURLToPath(import.meta.url));
const manifest = createRequire(import.meta.url).resolve('jest/package.json');

test("Jest runs the cases, and shows a failure with the submission's line", () => {
  const { stderr, status } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', join(dirname(manifest), 'bin/jest.js'), '--no-color'],
    { cwd: directory, encoding: 'utf8', env: { ...process.env, SHOW_FAILURE: '1' } },
  );
  assert.equal(status, 1, stderr);
  assert.match(stderr, /3 passed/);
  assert.match(stderr, /most_common\(""\): ValueError: [^]*at word_count\.py:14/);
});
