// The built command `codejail`, run as a process of its own.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';

/** The command's script. */
export const CODEJAIL = join(__dirname, '..', '..', 'dist', 'cli', 'codejail.js');

/** How a command ended. */
export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Surroundings {
  input?: string | Buffer;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Default: the built one of this clone. */
  script?: string;
}

/** Starts the command. */
export function start(
  words: readonly string[],
  { cwd, env, script = CODEJAIL }: Surroundings = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [script, ...words], {
    cwd,
    env: { ...process.env, NO_COLOR: '', FORCE_COLOR: '', ...env },
  });
}

/** Waits for the command's end. */
export async function ending(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => chunks[name].push(chunk));
  }
  return new Promise((resolve) => {
    child.once('close', (status, signal) => {
      resolve({
        status,
        signal,
        stdout: Buffer.concat(chunks.stdout).toString(),
        stderr: Buffer.concat(chunks.stderr).toString(),
      });
    });
  });
}

/** Runs the command to its end. */
export async function codejail(
  words: readonly string[],
  surroundings: Surroundings = {},
): Promise<Ended> {
  const child = start(words, surroundings);
  // A command that reads no input closes it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(surroundings.input);
  return ending(child);
}
