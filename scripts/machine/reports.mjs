// What Jest has reported of a plan's runs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLANS } from './plan.mjs';

/** The reports that lanes.mjs has left in a folder. */
export function readReports(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

/**
 * Prints `N passed, N failed`, and sets this process's status.
 * @param plan its name
 * @param status of the command that ran it
 */
export function summarize(plan, status, reports) {
  const sum = (field) => reports.reduce((total, report) => total + (report[field] ?? 0), 0);
  const passed = sum('numPassedTests');
  const planned = PLANS[plan].lanes.reduce((total, { runs }) => total + runs.length, 0);
  const broken = planned - reports.filter((report) => report.numPassedTests > 0).length;
  let failed = sum('numFailedTests') + sum('numRuntimeErrorTestSuites') + broken;
  // A run that broke without a failing test is a failure too.
  if (status !== 0 && failed === 0) failed = 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
