// Whether a call's limits have room for what it brings and wants back.
import { InvalidArgumentError } from '../errors';
import type { Limits } from '../limits';
import { isInTmp, parents } from '../spec/files';
import { inputBytes, requireSmall, type Sized } from '../spec/input-size';
import type { RunArguments } from './types';

function requireRoomInTmp(files: readonly Sized[], { disk, files: most }: Limits): void {
  const names = new Set(files.flatMap(({ name }) => [...parents(name).slice(1), name]));
  if (most !== 0 && names.size > most) {
    throw new InvalidArgumentError(
      'options.extraFiles',
      `puts ${names.size} files and directories into tmp, over the limit \`files\`, ${most}: put some elsewhere, or raise ` +
        'the limit (limits.files)',
    );
  }
  const bytes = inputBytes(files);
  if (disk !== 0 && bytes > disk) {
    throw new InvalidArgumentError(
      'options.extraFiles',
      `puts ${bytes} bytes into tmp, in pages of 4 KiB, over the limit \`disk\`, ${disk}: put some elsewhere, or raise ` +
        'the limit (limits.disk)',
    );
  }
}

/**
 * Checks that the limits of a call have room for its files, and for what it collects. A long text that is not copied
 * yet counts as what it takes at least.
 * @throws InvalidArgumentError
 */
export function requireRoom(
  { extraFiles, collect }: Pick<RunArguments, 'collect'> & { extraFiles: readonly Sized[] },
  limits: Limits,
): void {
  requireSmall(extraFiles, limits);
  const own = extraFiles.filter(({ name }) => isInTmp(name));
  if (own.length > 0) {
    requireRoomInTmp(own, limits);
  }
  if (collect.length > 0 && limits.fsize === 0) {
    throw new InvalidArgumentError(
      'options.collect',
      'can bring nothing back: the limit `fsize` is 0, so that nothing may be written. Raise it (limits.fsize)',
    );
  }
}
