// Why a directory could not be copied into a jail: the launcher names the directory, a person needs the file.
import { constants, type Dirent } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError, SetupError } from '../errors';
import { isPassing } from '../passing';
import type { HostFile } from '../spec/files';
import { tooLarge } from '../spec/input-size';
import { describe } from '../text/describe';

/** As deep as the launcher goes: native/core/copy.cc has the same. */
const MAXIMUM_DEPTH = 64;

async function isReadable(path: string, entry: Dirent): Promise<boolean> {
  const mode = entry.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK;
  try {
    await access(path, mode);
    return true;
  } catch (error) {
    if (isPassing(error)) throw error;
    return false;
  }
}

async function problemBelow(directory: string, depth: number): Promise<string | undefined> {
  if (depth > MAXIMUM_DEPTH) {
    return `nests directories deeper than ${MAXIMUM_DEPTH}: ${describe(directory)}`;
  }
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) continue;
    if (!entry.isFile() && !entry.isDirectory()) {
      return `holds ${describe(path)}, which is neither a regular file, a directory nor a symbolic link: leave it out`;
    }
    if (!(await isReadable(path, entry))) {
      return `holds ${describe(path)}, which can not be read by this process`;
    }
    const problem = entry.isDirectory() ? await problemBelow(path, depth + 1) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Looks, after a copy has failed, for what made it fail: a look before each call would cost every call.
 * @param input the call's limit of that name
 * @returns an InvalidArgumentError that names the file, or the error as it was
 */
export async function explainCopyFailure(
  error: unknown,
  copies: readonly HostFile[],
  input: number,
): Promise<unknown> {
  if (!(error instanceof SetupError) || error.stepId !== 'copyFiles') {
    return error;
  }
  const copy = copies.find(({ path }) => path === error.detail);
  if (copy === undefined) {
    return error;
  }
  if (error.errno === osConstants.errno.EFBIG) {
    return new InvalidArgumentError(copy.argument ?? copy.path, tooLarge(input), error);
  }
  // What is no directory, or has vanished meanwhile, is explained by the error itself.
  const problem = await problemBelow(copy.path, 0).catch(() => undefined);
  return problem === undefined
    ? error
    : new InvalidArgumentError(copy.argument ?? copy.path, problem, error);
}
