// A thousand calls in a row, by a process that does nothing else.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('thousand-calls.mjs', import.meta.url));

/** @returns the memory and descriptors of the caller, once settled, and after `calls` more */
export async function measureEndurance({ python, calls = 1000, onRound }) {
  onRound(`${calls} calls`);
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    program,
    python,
    String(calls),
  ]);
  return JSON.parse(stdout);
}
