// Where the binaries are: built here, or the package of this platform.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SetupError } from '../errors';
import { throwIfPassing } from '../passing';
import { libc, libcAndVersion } from './libc';
import { loadAdvice } from './load-advice';
import { BINARIES, packageName } from './platforms';

export const LOAD_STEP = 'load the addon';

/** Where binaries are that were built here, below a directory: as node-gyp has it. */
export const BUILT = join('build', 'Release');

/** This machine, as binaries are told apart by: `linux-x64, glibc 2.36`. */
function machine(): string {
  return `${process.platform}-${process.arch}, ${libcAndVersion()}`;
}

/** The one command that builds them. */
function buildAdvice(packageDirectory: string): string {
  return existsSync(join(packageDirectory, 'binding.gyp'))
    ? 'build it: npm run setup'
    : 'build it: npx codejail build, which needs a C++ compiler and the static libraries of C and C++';
}

function versionIn(directory: string): unknown {
  const text = readFileSync(join(directory, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version?: unknown }).version;
}

/** The directory of the platform's package, or why it is of no use. */
function installed(packageDirectory: string): { directory: string } | { lack: string } {
  const name = packageName({ cpu: process.arch, libc: libc() });
  let directory: string;
  try {
    const { resolve } = createRequire(join(packageDirectory, 'package.json'));
    directory = dirname(resolve(`${name}/package.json`));
  } catch (cause) {
    throwIfPassing(cause, LOAD_STEP);
    return {
      lack:
        `no binary of codejail fits this machine (${machine()}): ${name} is not installed. Install codejail again on ` +
        'this machine, with its optional dependencies (npm install --include=optional), or ',
    };
  }
  const [wanted, found] = [versionIn(packageDirectory), versionIn(directory)];
  // The two halves know one another's structures.
  return wanted === found
    ? { directory }
    : {
        lack: `${directory} is version ${String(found)}, and codejail ${String(wanted)}: install both alike, or `,
      };
}

/**
 * The directory with the binaries of this machine.
 * @param packageDirectory where this package is
 * @throws SetupError where there are none, with the command that builds them
 */
export function binaryDirectory(packageDirectory: string): string {
  const unfit = unfitPlace(packageDirectory);
  if (unfit !== undefined) {
    throw new SetupError(LOAD_STEP, 0, { detail: unfit });
  }
  // Of tests alone: another build than the package's own.
  const built = join(process.env['CODEJAIL_PREBUILD'] ?? packageDirectory, BUILT);
  if (existsSync(join(built, BINARIES.addon))) {
    return built;
  }
  const found = installed(packageDirectory);
  if ('directory' in found) {
    return found.directory;
  }
  throw new SetupError(LOAD_STEP, 0, { detail: `${found.lack}${buildAdvice(packageDirectory)}` });
}

/** Why nothing can be loaded from where this package is. */
function unfitPlace(packageDirectory: string): string | undefined {
  try {
    readdirSync(packageDirectory);
  } catch (cause) {
    throwIfPassing(cause, LOAD_STEP);
    return loadAdvice(packageDirectory, cause) ?? (cause as Error).message;
  }
  return loadAdvice(packageDirectory);
}

/** What to do about an addon that the dynamic loader refused, and what it found. */
export function unloadableAdvice(packageDirectory: string, path: string, message: string): string {
  return `${path} can't be loaded on this machine (${machine()}: ${message}); ${buildAdvice(packageDirectory)}`;
}
