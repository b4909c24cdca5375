// Runs a program in the jail of another process, under a profile or a filter that is put on that process first.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { MissingGuarantee } from '../../lib/errors';
import type { JailOptions } from '../../lib/index';

/** What a caller said: of the program, or of the error. */
export interface CallerOutcome {
  stdout?: string;
  stderr?: string;
  status?: number;
  confinement?: string[];
  error?: string;
  message?: string;
  missing?: MissingGuarantee[];
}

/**
 * @param wrapper the command that the caller is started by, with its words: `['aa-exec', '-p', 'NAME', '--']`
 * @param options of the caller's createJail
 * @param code the Python program
 */
export async function callFrom(
  wrapper: readonly string[],
  options: JailOptions,
  code: string,
): Promise<CallerOutcome> {
  const words = [
    ...wrapper,
    process.execPath,
    join(__dirname, 'caller-process.cjs'),
    JSON.stringify(options),
    code,
  ];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(words[0] ?? '', words.slice(1), { timeout: 120_000 }, (error, output, errors) => {
      if (output === '') {
        reject(
          new Error(`${words.slice(0, 4).join(' ')} said nothing: ${errors}`, { cause: error }),
        );
      } else {
        resolve(output);
      }
    });
  });
  return JSON.parse(stdout) as CallerOutcome;
}
