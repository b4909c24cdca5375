// The suites of test/escape on a simulated host, one for each guarantee that it holds.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../console.mjs';
import { runOn } from './simulate.mjs';

const require = createRequire(import.meta.url);
const { transform } = require('../../jest.config.js').projects[0];

function configure(home, name, guarantees, missing) {
  const config = {
    rootDir: '/mnt/project',
    maxWorkers: 1,
    testTimeout: 90_000,
    testEnvironment: 'node',
    testMatch: guarantees.map((guarantee) => `<rootDir>/test/escape/${guarantee}.test.ts`),
    transform,
    cacheDirectory: '/mnt/home/cache',
    globals: { codejailAllowMissing: missing },
  };
  writeFileSync(join(home, name), JSON.stringify(config));
}

function outcomeOf(guarantee, results) {
  const suite = results.find(({ name }) => name.endsWith(`/${guarantee}.test.ts`));
  const tests = suite?.assertionResults ?? [];
  const failures = tests
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join('\n')}`);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  if (passed === 0 && failures.length === 0) {
    failures.push(suite?.message || 'no test of the suite ran');
  }
  return { guarantee, passed, failures };
}

/**
 * Runs them.
 * @param {import('./plan.mjs').Host} host
 * @param {string} home a folder that everybody may write
 * @param {{ held: string[], missing: string[] }} guarantees
 * @returns {Promise<{ guarantee: string, passed: number, failures: string[] }[]>}
 */
export async function runSuites(host, home, { held, missing }) {
  const attacked = held.filter((name) => existsSync(join(root, `test/escape/${name}.test.ts`)));
  const config = `${host.name}.config.json`;
  const report = `${host.name}.json`;
  configure(home, config, attacked, missing);
  const { stderr } = await runOn(host, home, [
    process.execPath,
    'node_modules/jest/bin/jest.js',
    ...['--config', `/mnt/home/${config}`],
    ...['--json', '--outputFile', `/mnt/home/${report}`],
  ]);
  try {
    const { testResults } = JSON.parse(readFileSync(join(home, report), 'utf8'));
    return attacked.map((guarantee) => outcomeOf(guarantee, testResults));
  } catch {
    return attacked.map((guarantee) => ({
      guarantee,
      passed: 0,
      failures: [stderr.slice(-2000)],
    }));
  }
}
