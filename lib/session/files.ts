// The files of a session's `tmp`, seen from the server while hostile code may change them.
import { types } from 'node:util';
import { InvalidArgumentError, SessionFileError } from '../errors';
import { native, type NativeFailure } from '../native/addon';
import { parseArgument } from '../options/argument';
import { readRelativePath } from '../options/files';
import { EntryKind } from '../run/collect';
import { describe } from '../text/describe';
import { Budget } from '../time/budget';
import type { SessionJail } from './session-jail';
import type { SessionFiles } from './types';

const LOOK_ENTRIES = 64;

function pathOf(name: unknown): string {
  return parseArgument(readRelativePath, name, 'name');
}

/** Has a process of the session write a file, which is its own then; the error's number, or 0. */
export type WriteFile = (path: string, content: Uint8Array) => Promise<number>;

/** Those of one jail. */
export class OwnFiles implements SessionFiles {
  readonly #jail: SessionJail;
  readonly #most: number;
  readonly #check: () => void;
  readonly #write: WriteFile;

  /**
   * @param most bytes of one file that is read; 0: no limit
   * @param check throws where its session is over
   */
  constructor(jail: SessionJail, most: number, check: () => void, write: WriteFile) {
    this.#jail = jail;
    this.#most = most;
    this.#check = check;
    this.#write = write;
  }

  async #reading<T>(path: string, work: (directory: number) => Promise<T>): Promise<T> {
    this.#check();
    try {
      return await this.#jail.withDirectory(work);
    } catch (cause) {
      // What has ended meanwhile says more.
      this.#check();
      const { errno = 0, syscall, message } = cause as Error & Partial<NativeFailure>;
      const detail = errno === 0 ? message : undefined;
      throw new SessionFileError('read', path, Math.abs(errno), { syscall, detail, cause });
    }
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    const path = pathOf(name);
    if (typeof content !== 'string' && !types.isUint8Array(content)) {
      throw new InvalidArgumentError(
        'content',
        `must be a string or a Uint8Array, not ${describe(content)}`,
      );
    }
    this.#check();
    const errno = await this.#write(
      path,
      typeof content === 'string' ? Buffer.from(content) : Uint8Array.from(content),
    );
    if (errno !== 0) {
      throw new SessionFileError('written', path, errno);
    }
  }

  async read(name: string): Promise<Buffer | null> {
    const path = pathOf(name);
    const most = this.#most === 0 ? Number.MAX_SAFE_INTEGER : this.#most;
    const contents = await this.#reading(path, async (directory) =>
      native().addon.readFiles(directory, [path], most),
    );
    if (contents === undefined) {
      const detail = `it has more bytes than the limit output allows, ${most}`;
      throw new SessionFileError('read', path, 0, { detail });
    }
    const [content] = contents;
    return Buffer.isBuffer(content) ? content : null;
  }

  async list(): Promise<string[]> {
    const entries = await this.#reading('.', async (directory) =>
      native().addon.listFiles(directory),
    );
    const paths: string[] = [];
    const budget = new Budget();
    let looked = 0;
    for (let start = 0; start < entries.length;) {
      const nul = entries.indexOf(0, start);
      const end = nul === -1 ? entries.length : nul;
      if (entries[start] === EntryKind.regular) {
        paths.push(entries.toString('utf8', start + 1, end));
      }
      start = end + 1;
      looked += 1;
      if (looked % LOOK_ENTRIES === 0 && budget.isSpent()) {
        await budget.nextTurn();
      }
    }
    return paths;
  }
}
