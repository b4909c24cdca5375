// Files of the host that go into a session's jail: it is made of a cell, which is given what it has by the server.
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from '../errors';
import type { Limits } from '../limits';
import type { FileArgument } from '../options/files';
import { requireRoom } from '../options/room';
import { throwIfPassing } from '../passing';
import type { JailFile } from '../spec/files';
import { copyBytes, inputBytes, PAGE_BYTES, tooLarge } from '../spec/input-size';
import { describe } from '../text/describe';
import { isWithin } from '../text/is-within';

const MOST_FILES = 10_000;
const PIECE_BYTES = 1024 * 1024;

/** What is left of what a session may be given. */
class Room {
  readonly #limit: number;
  #left: number;

  constructor(limits: Limits, given: readonly JailFile[]) {
    this.#limit = limits.input;
    this.#left = copyBytes(limits, given) ?? Number.POSITIVE_INFINITY;
  }

  /** @throws InvalidArgumentError where so much is not left */
  require(bytes: number, argument: string): void {
    if (bytes > this.#left) {
      throw new InvalidArgumentError(argument, tooLarge(this.#limit));
    }
  }

  /** @throws as `require` */
  take(bytes: number, argument: string): void {
    this.require(bytes, argument);
    this.#left -= bytes;
  }
}

/** Reads to the end of a file, which may grow meanwhile. */
async function readAll(file: FileHandle, room: Room, argument: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    room.require(length, argument);
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) {
      return Buffer.concat(pieces, length);
    }
    pieces.push(
      bytesRead < PIECE_BYTES / 2
        ? Buffer.from(piece.subarray(0, bytesRead))
        : piece.subarray(0, bytesRead),
    );
    length += bytesRead;
  }
}

async function readHostFile(from: string, room: Room, argument: string): Promise<Buffer> {
  // Something else may have taken its name since it was looked at: a link is not followed, and a FIFO not waited for.
  const file = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) {
      throw new InvalidArgumentError(argument, `is no regular file any more: ${describe(from)}`);
    }
    room.require(status.size, argument);
    return await readAll(file, room, argument);
  } finally {
    await file.close();
  }
}

/** Where a link leads to, within what was named. */
async function targetOf(from: string, root: string, argument: string): Promise<string> {
  const target = await realpath(from);
  if (!isWithin(target, root)) {
    throw new InvalidArgumentError(
      argument,
      `has a link that leads out of it, ${describe(from)} to ${describe(await readlink(from))}: name what it leads to`,
    );
  }
  return target;
}

/**
 * Reads files and directories, with all that is below. A link that leads out of what was named is refused: there is nothing
 * behind it in the jail.
 * @param given the other files, whose bytes count to the limit `input` too
 * @throws InvalidArgumentError; SetupError where the host fails
 */
export async function readHostFiles(
  files: readonly FileArgument[],
  limits: Limits,
  given: readonly JailFile[],
): Promise<JailFile[]> {
  const found: JailFile[] = [];
  const room = new Room(limits, given);
  let entries = 0;
  for (const { path, name, argument } of files) {
    const root = await realpath(path).catch(() => path);
    const pending = [{ from: root, to: name }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { from, to } = next;
      entries += 1;
      if (entries > MOST_FILES) {
        throw new InvalidArgumentError(
          argument,
          `has more than ${MOST_FILES} files and directories`,
        );
      }
      try {
        const status = await lstat(from);
        if (status.isSymbolicLink()) {
          pending.push({ from: await targetOf(from, root, argument), to });
        } else if (status.isDirectory()) {
          room.take(PAGE_BYTES, argument);
          for (const entry of await readdir(from)) {
            pending.push({ from: join(from, entry), to: `${to}/${entry}` });
          }
        } else if (status.isFile()) {
          const file = { name: to, content: await readHostFile(from, room, argument) };
          room.take(inputBytes([file]), argument);
          found.push(file);
        } else {
          throw new InvalidArgumentError(
            argument,
            `holds ${describe(from)}, which is neither a regular file, a directory nor a symbolic link: leave it out`,
          );
        }
      } catch (error) {
        if (error instanceof InvalidArgumentError) throw error;
        throwIfPassing(error, 'read the files');
        throw new InvalidArgumentError(argument, `could not be read: ${describe(from)}`, error);
      }
    }
  }
  requireRoom({ extraFiles: found, collect: [] }, limits);
  return found;
}
