// What may be filled into a profile. Quotes, globs and variables would change its meaning, and a line break
// would begin a rule of somebody else's.
import { normalize } from 'node:path';
import { InvalidArgumentError } from '../errors';
import { describe } from '../text/describe';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
// In quotes none of these has a meaning to apparmor_parser (apparmor.d(5), "Globbing").
const PATH = /^(?:\/[\p{L}\p{N}._+~:=@%, -]+)+$/u;
const TOO_WIDE =
  /^\/(?:bin|boot|etc|home|lib(?:32|64|x32)?|media|mnt|opt|root|run|sbin|srv|tmp|usr|var)$/;
const KERNEL = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** @throws InvalidArgumentError where `name` can't be a profile's name here */
export function checkProfileName(argument: string, name: string): string {
  if (!NAME.test(name)) {
    throw new InvalidArgumentError(
      argument,
      `must be up to 64 letters, digits, "_", "." and "-", the first a letter or a digit, not ${describe(name)}`,
    );
  }
  return name;
}

/** @throws InvalidArgumentError where a rule for `path` could mean anything but that one path */
export function checkProfilePath(argument: string, path: string): string {
  if (!PATH.test(path) || normalize(path) !== path) {
    throw new InvalidArgumentError(
      argument,
      `must be an absolute path without "." and "..", of letters, digits, spaces and ._+~:=@%,- for a profile, not ${describe(path)}`,
    );
  }
  if (KERNEL.test(path)) {
    throw new InvalidArgumentError(argument, `must not be in /proc, /sys or /dev, as ${path} is`);
  }
  return path;
}

/** @throws InvalidArgumentError where `path` is no directory or file that a jail may read as a whole */
export function checkReadablePath(argument: string, path: string): string {
  checkProfilePath(argument, path);
  if (TOO_WIDE.test(path)) {
    throw new InvalidArgumentError(
      argument,
      `must be narrower than ${path}, which a jail must not read as a whole`,
    );
  }
  return path;
}
