// Runs a program in a session of its own, as a service is: what its terminal is busy with takes no processor from it then
// (sched(7), "The autogroup feature").
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const MARK = 'CODEJAIL_EXAMPLE_HAS_SESSION';
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Whether this process is the one that `runAgain` has started. */
export function hasOwnSession() {
  return process.env[MARK] !== undefined;
}

/**
 * Runs this very program again, with a session of its own.
 * @returns {Promise<number>} its exit status
 */
export async function runAgain() {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  // The terminal no longer sends it any.
  for (const signal of PASSED_ON) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
