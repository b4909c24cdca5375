// How much is put into a jail's directory, and how large its root has to be for it.
import { InvalidArgumentError } from '../errors';
import type { Limits } from '../limits';
import { withoutProgram } from './files';
import type { Bound } from './rlimits';

/** A file whose size is known. */
export interface Sized {
  name: string;
  content: { readonly length: number };
}

/** What a file takes of a tmpfs; native/core/copy.h has the same. */
export const PAGE_BYTES = 4096;
// Of the root's own: mount points, links, the directories of the host's tree that lead to them.
const ROOT_BYTES = 16 * 1024 * 1024;
const ROOT_NAMES = 16_384;

/** What files whose text is here take. */
export function inputBytes(files: readonly Sized[]): number {
  let bytes = 0;
  for (const { content } of files) {
    bytes += Math.max(PAGE_BYTES, Math.ceil(content.length / PAGE_BYTES) * PAGE_BYTES);
  }
  return bytes;
}

/** What overflowed, and the cure, as a clause. */
export function tooLarge(limit: number): string {
  return (
    `takes what is put into the jail over the limit \`input\`, ${limit} bytes, of which each file, directory and link takes ` +
    `${PAGE_BYTES} at least: leave files out, or raise the limit (limits.input)`
  );
}

/**
 * Checks that the files of a call whose text is here are within its limit `input`.
 * @throws InvalidArgumentError
 */
export function requireSmall(files: readonly Sized[], { input }: Pick<Limits, 'input'>): void {
  // Most calls bring one small file.
  if (input !== 0 && inputBytes(files) > input) {
    throw new InvalidArgumentError('options.extraFiles', tooLarge(input));
  }
}

/**
 * What the copies of a call may take: what its other files, the program aside, have left of the limit `input`.
 * @returns bytes; undefined where there is no limit
 */
export function copyBytes({ input }: Pick<Limits, 'input'>, files: readonly Sized[]): Bound {
  return input === 0 ? undefined : Math.max(1, input - inputBytes(withoutProgram(files)));
}

/** The size of a root that holds them: a wall behind what is counted. */
export function rootSize(
  limits: Pick<Limits, 'input'>,
  files: readonly Sized[],
  copies: number,
): { first?: number; second?: number } {
  const copied = copies === 0 ? 0 : copyBytes(limits, files);
  if (copied === undefined) {
    return {};
  }
  const bytes = inputBytes(files) + copied;
  // Some directory leads to each.
  return { first: ROOT_BYTES + bytes, second: ROOT_NAMES + 2 * Math.ceil(bytes / PAGE_BYTES) };
}
