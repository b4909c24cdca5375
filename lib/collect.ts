// Brings back what a program left in its tmp, after it is dead.
import picomatch from 'picomatch';
import { native } from './native';

export interface CollectedFile {
  path: string;
  content: Buffer;
}

/**
 * Reads the regular files that match, in the order of their paths. Closes nothing.
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
  const matches = picomatch([...patterns], { dot: true, flags: 's' });
  const exact = new Set(patterns);
  const found = await addon.listFiles(directory);
  const paths = found
    .map(({ path }) => path)
    // A name with glob characters in it is found by itself, too.
    .filter((path) => exact.has(path) || matches(path))
    .sort();
  const contents = await addon.readFiles(
    directory,
    paths,
    limit === 0 ? Number.MAX_SAFE_INTEGER : limit,
  );
  return contents?.map((content, index) => ({ path: paths[index] ?? '', content })) ?? null;
}
