// Files of the host that go into a session's jail: it is made of a cell, which is given what it has by the server.
import { lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from '../errors';
import type { Limits } from '../limits';
import type { FileArgument } from '../options/files';
import { requireRoom } from '../options/room';
import { throwIfPassing } from '../passing';
import type { JailFile } from '../spec/files';
import { describe } from '../text/describe';
import { isWithin } from '../text/is-within';

const MOST_FILES = 10_000;

/**
 * Reads files and directories, with all that is below. A link that leads out of what was named is refused: there is nothing
 * behind it in the jail.
 * @throws InvalidArgumentError; SetupError where the host fails
 */
export async function readHostFiles(
  files: readonly FileArgument[],
  limits: Limits,
): Promise<JailFile[]> {
  const found: JailFile[] = [];
  for (const { path, name, argument } of files) {
    const root = await realpath(path).catch(() => path);
    const pending = [{ from: root, to: name }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { from, to } = next;
      try {
        const status = await lstat(from);
        if (status.isSymbolicLink()) {
          const target = await realpath(from);
          if (!isWithin(target, root)) {
            throw new InvalidArgumentError(
              argument,
              `has a link that leads out of it, ${describe(from)} to ${describe(await readlink(from))}: name what it leads to`,
            );
          }
          pending.push({ from: target, to });
        } else if (status.isDirectory()) {
          pending.push(
            ...(await readdir(from)).map((entry) => ({
              from: join(from, entry),
              to: `${to}/${entry}`,
            })),
          );
        } else if (status.isFile()) {
          found.push({ name: to, content: await readFile(from) });
        }
      } catch (error) {
        if (error instanceof InvalidArgumentError) throw error;
        throwIfPassing(error, 'read the files');
        throw new InvalidArgumentError(argument, `could not be read: ${describe(from)}`, error);
      }
      if (found.length > MOST_FILES) {
        throw new InvalidArgumentError(argument, `has more than ${MOST_FILES} files`);
      }
      requireRoom({ extraFiles: found, collect: [] }, limits);
    }
  }
  return found;
}
