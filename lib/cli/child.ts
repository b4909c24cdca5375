// Other programs that this command starts for its user, unconfined.
import { spawn } from 'node:child_process';
import { CommandLineError } from './failure';

/** How a child ended, and what it printed where that was kept. */
export interface Ended {
  status: number;
  output: string;
}

/**
 * Runs a program to its end.
 * @param words the program and its arguments
 * @param show whether its output goes to this command's standard error, or is kept
 * @param onStarted told its process id
 * @throws CommandLineError where it can't be started
 */
export async function runChild(
  words: readonly string[],
  show: boolean,
  onStarted?: (pid: number) => void,
): Promise<Ended> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, {
    stdio: show ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) {
    onStarted?.(child.pid);
  }
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CommandLineError(
          error.code === 'ENOENT'
            ? `there is no ${program} on this host`
            : `${program} can't be started: ${error.message}`,
        ),
      );
    });
    child.once('close', (status, signal) => {
      resolve({ status: signal === null ? (status ?? 1) : 1, output });
    });
  });
}
