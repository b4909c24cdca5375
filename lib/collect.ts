// Brings back what a program left in its tmp, after it is dead.
import { matchesGlob } from './glob';
import type { LimitName, Limits } from './limits';
import { native } from './native';

export interface CollectedFile {
  path: string;
  content: Buffer;
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

/**
 * Reads the regular files that match, in the order of their paths. What can't be read, or has a name
 * that is no text, is left out. Closes nothing.
 * @param directory a descriptor of the dead jail's tmp
 * @param patterns file names or globs below tmp
 * @param limit bytes that all of them may have together; 0 for no limit
 * @returns null where they have more than `limit`
 */
export async function collectFiles(
  directory: number,
  patterns: readonly string[],
  limit: number,
): Promise<CollectedFile[] | null> {
  const { addon } = native();
  const found = await addon.listFiles(directory);
  const paths = found
    .filter((path) => patterns.some((pattern) => matchesGlob(pattern, path)))
    .sort();
  const contents = await addon.readFiles(
    directory,
    paths,
    limit === 0 ? Number.MAX_SAFE_INTEGER : limit,
  );
  if (contents === null) {
    return null;
  }
  return contents.flatMap((content, index) =>
    content === null ? [] : [{ path: paths[index] ?? '', content }],
  );
}
