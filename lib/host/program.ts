// Where a program is, and what runs it.
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { InvalidArgumentError } from '../errors';
import { throwIfPassing } from '../passing';
import { resolvePath } from './paths';

/** The step that fails where this process lacks something to look with. */
export const LOOKING = 'look at the program';

/** Why a program can't be used, as a clause. */
export function whyUnreachable(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  return code === 'EACCES' && path !== undefined
    ? `the directory ${dirname(path)} is closed to this process's user. Open it to that user, or name a program that is elsewhere (EACCES)`
    : message;
}

/** The absolute path of `bin`; a bare name is looked up in PATH. */
export async function locate(bin: string, argument: string): Promise<string> {
  const candidates = isAbsolute(bin)
    ? [bin]
    : bin.includes('/')
      ? []
      : (process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
          .split(delimiter)
          .filter(isAbsolute)
          .map((directory) => join(directory, bin));
  let problem = `must be an absolute path or a name in PATH, not ${JSON.stringify(bin)}`;
  for (const candidate of candidates) {
    try {
      const { real } = await resolvePath(candidate);
      const status = await lstat(real);
      if (status.isFile() && (status.mode & 0o111) !== 0) {
        return candidate;
      }
      problem = `names ${candidate}, which is not an executable file`;
    } catch (error) {
      throwIfPassing(error, LOOKING);
      problem = `names ${candidate}, which can't be used: ${whyUnreachable(error)}`;
    }
  }
  throw new InvalidArgumentError(
    argument,
    candidates.length > 1 ? `names ${JSON.stringify(bin)}, which is not in PATH` : problem,
  );
}

/** Undefined where a program may be run and not read, which a script can't be (execve(2)). */
async function openToRead(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') {
      return undefined;
    }
    throw error;
  }
}

/** The words of a script's first line (execve(2), "Interpreter scripts"), or undefined for a binary. */
export async function interpreterOf(path: string): Promise<string[] | undefined> {
  const file = await openToRead(path);
  if (file === undefined) {
    return undefined;
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const text = buffer.subarray(0, bytesRead).toString('latin1');
    if (!text.startsWith('#!')) {
      return undefined;
    }
    const line = (text.slice(2).split('\n')[0] ?? '').trim();
    const words = /^(\S+)(?:\s+(.*))?$/.exec(line);
    return words === null
      ? undefined
      : [words[1] ?? '', ...(words[2] === undefined ? [] : [words[2]])];
  } finally {
    await file.close();
  }
}
