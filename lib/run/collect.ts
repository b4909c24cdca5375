// Brings back what a program left in its tmp, after it is dead.
import { constants } from 'node:os';
import type { LimitName, Limits } from '../limits';
import { native, type NativeFailure } from '../native/addon';
import { couldMatchBelow, matchesGlob } from '../text/glob';
import { Budget } from '../time/budget';
import { CollectError } from './collect-error';
import type { JailResult, Uncollected, WhyUncollected } from './result';

export interface CollectedFile {
  path: string;
  content: Buffer;
}

/** What was brought back, and what was named and could not be. */
export interface Collection {
  collected: CollectedFile[];
  uncollected: Uncollected[];
}

/**
 * The bound of what is brought back: `output`, and where that has none `disk`, since the holes of a
 * sparse file count towards no disk.
 */
export function collectLimit(limits: Limits): { limit: LimitName; allowed: number } {
  return limits.output > 0
    ? { limit: 'output', allowed: limits.output }
    : { limit: 'disk', allowed: limits.disk };
}

/** The kinds of entries that the addon lists; native/addon/list_files.cc has the same. */
export const EntryKind = {
  regular: 0x66,
  irregular: 0x6f,
  noText: 0x6e,
  closedDirectory: 0x75,
  deepDirectory: 0x64,
  tooMany: 0x6d,
} as const;

const { EACCES, EPERM, ENOENT, ENOTDIR } = constants.errno;
/** Files that are read in one go, so that no turn of the event loop has too many of them to hand over. */
const BATCH_FILES = 64;
const LOOK_ENTRIES = 8;

/**
 * Reads the regular files that match, in the order of their paths. Closes nothing.
 * @param directory a descriptor of the dead jail's tmp
 * @param patterns file names or globs below tmp
 * @param limit bytes that all of them may have together; 0 for no limit
 * @returns undefined where they have more than `limit`
 * @throws NativeFailure, an Error with `errno`, `syscall` and `detail`, where the host fails: no descriptors, no memory
 */
export async function collectFiles(
  directory: number,
  patterns: readonly string[],
  limit: number,
): Promise<Collection | undefined> {
  const { addon } = native();
  const { paths, uncollected } = await matchesOf(await addon.listFiles(directory), patterns);
  const collected: CollectedFile[] = [];
  const budget = new Budget();
  let room = limit === 0 ? Number.MAX_SAFE_INTEGER : limit;
  for (let start = 0; start < paths.length; start += BATCH_FILES) {
    const batch = paths.slice(start, start + BATCH_FILES);
    const contents = await addon.readFiles(directory, batch, room);
    if (contents === undefined) {
      return undefined;
    }
    for (const [index, content] of contents.entries()) {
      const path = batch[index] as string;
      if (typeof content === 'number') {
        uncollected.push({ path, why: whyOf(content) });
      } else {
        room -= content.length;
        collected.push({ path, content });
      }
    }
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  return { collected, uncollected };
}

/** What `collectFiles` threw, as the error that callers know. */
export function collectError(cause: unknown, result: JailResult): CollectError {
  const { errno: number = 0, syscall, detail, message } = cause as Error & Partial<NativeFailure>;
  // Node's own are negative.
  const errno = Math.abs(number);
  return new CollectError(errno, result, {
    syscall,
    detail: errno === 0 ? message : detail,
    cause,
  });
}

function whyOf(errno: number): WhyUncollected {
  switch (errno) {
    case EACCES:
    case EPERM:
      return 'unreadable';
    case ENOENT:
    case ENOTDIR:
      return 'vanished';
    default:
      return 'not-a-file';
  }
}

interface Matches {
  paths: string[];
  uncollected: Uncollected[];
}

/** What of the entries is named by a pattern; and what might have been, and is not to be had. */
async function matchesOf(entries: Buffer, patterns: readonly string[]): Promise<Matches> {
  const found: Matches = { paths: [], uncollected: [] };
  const budget = new Budget();
  let seen = 0;
  for (let start = 0; start < entries.length;) {
    const nul = entries.indexOf(0, start);
    const end = nul === -1 ? entries.length : nul;
    take(found, entries[start], entries.toString('utf8', start + 1, end), patterns);
    start = end + 1;
    seen++;
    if (seen % LOOK_ENTRIES === 0 && budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  return found;
}

function take(
  { paths, uncollected }: Matches,
  kind: number | undefined,
  path: string,
  patterns: readonly string[],
): void {
  const matches = (): boolean => patterns.some((pattern) => matchesGlob(pattern, path));
  const tell = (why: WhyUncollected): void => {
    // The directory itself.
    uncollected.push({ path: path === '' ? '.' : path, why });
  };
  const mayHold = (): boolean => patterns.some((pattern) => couldMatchBelow(pattern, path));
  switch (kind) {
    case EntryKind.regular:
      if (matches()) paths.push(path);
      break;
    case EntryKind.irregular:
      if (matches()) tell('not-a-file');
      break;
    case EntryKind.noText:
      if (matches()) tell('not-text');
      break;
    case EntryKind.closedDirectory:
      if (mayHold()) tell('unreadable');
      break;
    case EntryKind.deepDirectory:
      if (mayHold()) tell('too-deep');
      break;
    default:
      tell('too-many');
  }
}
