import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from '../errors';
import { errnoName } from '../text/errno';
import { throwIfPassing } from '../passing';
import { PROGRAM_NAME, TMP_NAME, type HostFile } from '../spec/files';
import { describe } from '../text/describe';
import {
  integer,
  optional,
  optionsReader,
  readName,
  readWithin,
  Refusal,
  spellPath,
} from './argument';
import { ContentReader, type Given } from './content';

/** A `HostFile` that a call named. */
export interface FileArgument extends HostFile {
  /** The argument that named it, for errors: `options.files[0]`. */
  argument: string;
}

/** A file that is written into the jail. */
export interface ExtraFile {
  /** Its path below the jail's directory. */
  name: string;
  content: Given;
  mode?: number | undefined;
}

const MAXIMUM_COMPONENT_BYTES = 255;
// PATH_MAX (path_resolution(7)) has room for these too.
const MAXIMUM_PATH_BYTES = 4096 - '/tmp/codejail-XXXXXXXX/\0'.length;
const MAXIMUM_EXTRA_FILES = 100_000;

/** The absolute path that a string or a `file:` URL names. */
export function readHostPath(value: unknown): string {
  let path = value;
  if (typeof value === 'object' && value !== null) {
    try {
      path = fileURLToPath(value as URL);
    } catch {
      throw new Refusal(`must be a path or a file: URL, not ${describe(value)}`);
    }
  } else if (typeof value !== 'string') {
    throw new Refusal(`must be a path or a file: URL, not ${describe(value)}`);
  }
  return resolve(readName(path));
}

/** A path below the jail's directory: relative, and no way out of it. */
export function readRelativePath(value: unknown): string {
  const path = readName(value);
  if (path.startsWith('/')) {
    throw new Refusal(`must be relative: ${describe(path)}`);
  }
  if (Buffer.byteLength(path) > MAXIMUM_PATH_BYTES) {
    throw new Refusal(`is longer than ${MAXIMUM_PATH_BYTES} bytes`);
  }
  for (const component of path.split('/')) {
    if (component === '' || component === '.' || component === '..') {
      throw new Refusal(`must not have empty, "." or ".." components: ${describe(path)}`);
    }
    if (Buffer.byteLength(component) > MAXIMUM_COMPONENT_BYTES) {
      throw new Refusal(`has a component longer than ${MAXIMUM_COMPONENT_BYTES} bytes`);
    }
  }
  return path;
}

const readAttributes = optionsReader({ mode: optional(integer(0, 0o777)) });

/** Entries of name, content and attributes from any iterable of them: an array, a Map, a generator. */
export function readExtraFiles(value: unknown): ExtraFile[] {
  if (
    typeof value !== 'object' ||
    value === null ||
    typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] !== 'function'
  ) {
    throw new Refusal(
      `must be an array, a Map or another iterable of [name, content] pairs, not ${describe(value)}`,
    );
  }
  const files: ExtraFile[] = [];
  const contents = new ContentReader();
  for (const pair of value as Iterable<unknown>) {
    const index = files.length;
    if (index === MAXIMUM_EXTRA_FILES) {
      throw new Refusal(`must not have more than ${MAXIMUM_EXTRA_FILES} entries`);
    }
    if (!Array.isArray(pair) || (pair.length !== 2 && pair.length !== 3)) {
      throw new Refusal(
        `must be a pair [name, content], or [name, content, { mode }], not ${describe(pair)}`,
        [index],
      );
    }
    const [name, content, attributes = {}] = Array.from(pair as unknown[]);
    files.push({
      name: readWithin([index, 0], () => readRelativePath(name)),
      content: readWithin([index, 1], () => contents.read(content, ['extraFiles', index, 1])),
      ...readWithin([index, 2], () => readAttributes(attributes)),
    });
  }
  return files;
}

/** The names in the jail's directory that are taken before any file is put there. */
export type ReservedName = typeof TMP_NAME | typeof PROGRAM_NAME;

const RESERVATIONS: Record<ReservedName, string> = {
  [TMP_NAME]: 'the name of the writable directory',
  [PROGRAM_NAME]: 'the name under which the code itself is written',
};

/**
 * Gives each path its name in the jail; a path that comes twice is kept once.
 * @param argument the list's path, for errors: `options.files`
 */
export function nameFiles(paths: readonly string[], argument: string): FileArgument[] {
  if (paths.length === 0) {
    return [];
  }
  const seen = new Set<string>();
  return paths.flatMap((path, index) => {
    if (seen.has(path)) return [];
    seen.add(path);
    const name = basename(path);
    if (name === '') {
      throw new InvalidArgumentError(
        spellPath(argument, [index]),
        'must not be the root directory: it has no name to go by in the jail',
      );
    }
    return [{ path, name, argument: spellPath(argument, [index]) }];
  });
}

/**
 * Checks that no two files want the same place in the jail's directory, and none a reserved one.
 * @param argument the options' path, for errors: `options`
 * @throws InvalidArgumentError naming the later one of two that clash
 */
export function checkNames(
  files: readonly FileArgument[],
  extraFiles: readonly ExtraFile[],
  reserved: readonly ReservedName[],
  argument: string,
): void {
  if (files.length === 0 && extraFiles.length === 0) {
    return;
  }
  const owners = new Map<string, string>(reserved.map((name) => [name, RESERVATIONS[name]]));
  for (const file of files) {
    const owner = owners.get(file.name);
    if (owner !== undefined) {
      throw new InvalidArgumentError(
        file.argument,
        `would be ${describe(file.name)} in the jail, which is taken: it is ${owner}`,
      );
    }
    owners.set(file.name, `the name of ${file.argument}`);
  }

  const directories = new Map<string, string>();
  extraFiles.forEach(({ name }, index) => {
    const here = spellPath(argument, ['extraFiles', index, 0]);
    const clash = (owner: string): never => {
      throw new InvalidArgumentError(here, `clashes: ${describe(name)} is ${owner}`);
    };
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
      const parent = name.slice(0, slash);
      const owner = parent === TMP_NAME ? undefined : owners.get(parent);
      if (owner !== undefined) clash(`below ${describe(parent)}, which is ${owner}`);
      if (!directories.has(parent)) directories.set(parent, here);
    }
    const owner = owners.get(name);
    if (owner !== undefined) clash(owner);
    const below = directories.get(name);
    if (below !== undefined) clash(`a directory for ${below}`);
    owners.set(name, `the name of ${here}`);
  });
}

const KINDS = 'a regular file, a directory or a symbolic link';

/**
 * Checks that every file is there, is of a kind that can go into a jail, and can be read by the caller.
 * A symbolic link is taken as it is, wherever it points.
 * @throws InvalidArgumentError naming the argument
 */
export async function checkFiles(files: readonly FileArgument[]): Promise<void> {
  for (const { path, argument } of files) {
    try {
      const status = await lstat(path);
      if (status.isSymbolicLink()) continue;
      if (!status.isFile() && !status.isDirectory()) {
        throw new InvalidArgumentError(argument, `must be ${KINDS}: ${describe(path)} is neither`);
      }
      await access(path, status.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw error;
      throwIfPassing(error, 'look at the files');
      const { code, errno } = error as NodeJS.ErrnoException;
      const problem =
        code === 'ENOENT' || code === 'ENOTDIR'
          ? 'does not exist'
          : code === 'EACCES' || code === 'EPERM'
            ? 'can not be read by this process'
            : `can not be looked at (${code ?? errnoName(-(errno ?? 0))})`;
      throw new InvalidArgumentError(argument, `${problem}: ${describe(path)}`, error);
    }
  }
}
