// Writes down what a jail left behind.
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { JailResult } from '../index';
import { printable } from '../text/printable';
import { CommandLineError, complain } from './failure';
import { sayAside } from './terminal';
import { formatBytes } from './units';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
// Neither executable nor for others to write, whatever the jail made of it.
const MODE = 0o644;

/** A name in an opened directory, as no link on the way can change it. */
function at(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`;
}

function blocked(shown: string, error: unknown): CommandLineError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ELOOP' || code === 'ENOTDIR'
      ? `a link, or a file, stands in its way (${code})`
      : message;
  return new CommandLineError(`${printable(shown)} can't be written: ${why}`);
}

async function openDirectory(parent: FileHandle, name: string): Promise<FileHandle> {
  await mkdir(at(parent, name)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  });
  return open(at(parent, name), DIRECTORY);
}

async function requireNoLink(directory: FileHandle, name: string): Promise<void> {
  const status = await lstat(at(directory, name)).catch(() => undefined);
  if (status?.isSymbolicLink() === true) {
    throw Object.assign(new Error('it is a link'), { code: 'ELOOP' });
  }
}

/** Puts a file into a directory; a file that has that name is replaced. */
async function place(directory: FileHandle, name: string, content: Buffer): Promise<void> {
  await requireNoLink(directory, name);
  const partial = at(directory, `.codejail-${process.pid}.partial`);
  await rm(partial, { force: true });
  const file = await open(partial, NEW_FILE, MODE);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  try {
    await rename(partial, at(directory, name));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function write(base: FileHandle, names: readonly string[], content: Buffer): Promise<void> {
  const [first = '', ...rest] = names;
  if (rest.length === 0) {
    return place(base, first, content);
  }
  const directory = await openDirectory(base, first);
  try {
    await write(directory, rest, content);
  } finally {
    await directory.close();
  }
}

const WHY: Readonly<Record<JailResult['uncollected'][number]['why'], string>> = {
  unreadable: 'the program has made it unreadable',
  'not-a-file': 'it is no regular file',
  'not-text': 'its name is not UTF-8',
  'too-deep': 'what is in it is nested too deep, or its path is too long',
  'too-many': 'there are too many files to look at',
  vanished: 'it is gone',
};
/** More are counted. */
const MOST_SAID = 20;

/** Says on standard error what could not be collected. */
export function sayUncollected(uncollected: JailResult['uncollected']): void {
  for (const { path, why } of uncollected.slice(0, MOST_SAID)) {
    complain(`not collected: ${printable(path)}: ${WHY[why]}`);
  }
  if (uncollected.length > MOST_SAID) {
    complain(`not collected: ${uncollected.length - MOST_SAID} more`);
  }
}

/**
 * Writes the collected files below a directory of the host, which is made if need be. Files that were there are
 * replaced; links below it are not followed.
 * @throws CommandLineError where one can't be written
 */
export async function writeCollected(
  directory: string,
  collected: JailResult['collected'],
): Promise<void> {
  if (collected.length === 0) {
    return;
  }
  await mkdir(directory, { recursive: true });
  // The directory itself is the user's word, a link or not.
  const base = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (const { path, content } of collected) {
      const shown = join(directory, path);
      await write(base, path.split('/'), content).catch((error: unknown) => {
        throw blocked(shown, error);
      });
      sayAside(`codejail: collected ${printable(shown)} (${formatBytes(content.length)})`);
    }
  } finally {
    await base.close();
  }
}
