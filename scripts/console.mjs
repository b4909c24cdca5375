// What the scripts say: one line for each thing that is done, and a command's output only when it fails.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const say = (text) => process.stderr.write(`codejail: ${text}\n`);

/** An error whose message is all that a person needs: printed without a stack. */
export class ScriptError extends Error {}

/** Runs a command, in the package's directory; resolves to its output, rejects with ScriptError when it fails. */
export function run(command, args, { env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => {
      reject(new ScriptError(`${command} could not be started: ${error.message}`));
    });
    child.on('close', (status, signal) => {
      if (status === 0) {
        resolve(output);
      } else {
        const ending = signal === null ? `status ${status}` : `signal ${signal}`;
        reject(new ScriptError(`${output.trimEnd()}\n${command} ${args.join(' ')}: ${ending}`));
      }
    });
  });
}

/** Runs `action` and says `title` before it and the seconds it took after it. */
export async function step(title, action) {
  say(`${title} …`);
  const start = performance.now();
  const result = await action();
  say(`${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** Runs a script's main function; a ScriptError is printed as text and makes the exit status 1. */
export async function main(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ScriptError)) {
      throw error;
    }
    say(error.message);
    process.exitCode = 1;
  }
}
