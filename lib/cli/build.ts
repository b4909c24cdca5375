// codejail build: the native half from source, where no package of binaries fits.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CompilerError } from '../build/compile';
import { buildHere } from '../build/here';
import { PLAN } from '../build/plan';
import { ExitStatus } from './exit-status';
import { CommandLineError } from './failure';
import { colorsOf, say } from './terminal';

const packageDirectory = join(__dirname, '..', '..');

const INSTALLATION = [
  'It takes a C++ compiler and the static libraries of C and C++:',
  '  Debian, Ubuntu:  sudo apt-get install -y g++',
  '  Fedora, RHEL:    sudo dnf install -y gcc-c++ glibc-static libstdc++-static',
  '  Alpine:          sudo apk add g++ linux-headers',
].join('\n');

/** How far it is, on a terminal; nothing elsewhere. */
function showProgress(done: number, of: number): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r${done} of ${of} files${done === of ? '\n' : ''}`);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof CompilerError) {
    return new CommandLineError(`it could not be built:\n${error.message}\n${INSTALLATION}`);
  }
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
    ? new CommandLineError(
        `it is built into ${packageDirectory}, which can't be written (${code}): run this as the user who owns it, ` +
          'before it is made read-only',
      )
    : error;
}

/** Adds `build` to the program. */
export function addBuild(program: Command, end: (status: number) => void): void {
  program
    .command('build')
    .summary('build the native programs from source, where no binary fits')
    .description(
      'Builds the native programs of this package from the sources that it has, into its own directory, which ' +
        `takes about a minute. Nothing is downloaded. The compiler is CXX, else g++.\n${INSTALLATION}`,
    )
    .addHelpText(
      'after',
      `
Examples:
  codejail build
  CXX=clang++ codejail build`,
    )
    .action(async () => {
      if (!existsSync(join(packageDirectory, PLAN))) {
        throw new CommandLineError(
          `${packageDirectory} is a clone: it is built by npm run setup, which tests and scripts do by themselves`,
        );
      }
      let built: string;
      try {
        built = await buildHere(packageDirectory, showProgress);
      } catch (error) {
        throw explained(error);
      }
      say(colorsOf(process.stdout).green(`Built ${built}`), '  try it:  codejail doctor');
      end(ExitStatus.ok);
    });
}
