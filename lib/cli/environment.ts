// Python environments for jails: made and filled by Python's own venv and pip, while nothing is confined.
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { printable } from '../text/printable';
import { runChild } from './child';
import { CommandLineError } from './failure';

/** A package of an environment. */
export interface InstalledPackage {
  name: string;
  version: string;
}

const VENV_CURE =
  'Install what is missing (Debian, Ubuntu: sudo apt-get install -y python3-venv; Alpine: apk add py3-pip), then try again';

function interpreterOf(directory: string): string {
  return join(directory, 'bin', 'python');
}

function isEnvironment(directory: string): boolean {
  return existsSync(join(directory, 'pyvenv.cfg')) && existsSync(interpreterOf(directory));
}

function requireEnvironment(directory: string): void {
  if (!isEnvironment(directory)) {
    throw new CommandLineError(
      `${directory} is no Python environment\nMake it first: codejail env create ${directory}`,
    );
  }
}

// A jail's uid is another one: what a strict umask hides from others, its Python could not read.
async function withReadableFiles<T>(action: () => Promise<T>): Promise<T> {
  const before = process.umask(0o022);
  try {
    return await action();
  } finally {
    process.umask(before);
  }
}

/**
 * Makes an environment, unless it is there already.
 * @param directory where; it must not exist, or be empty
 * @param python the interpreter that it will start
 * @returns whether it was made
 * @throws CommandLineError
 */
export async function createEnvironment(directory: string, python: string): Promise<boolean> {
  if (isEnvironment(directory)) {
    return false;
  }
  const existed = existsSync(directory);
  if (existed && readdirSync(directory).length > 0) {
    throw new CommandLineError(
      `${directory} is neither empty nor a Python environment: name another directory`,
    );
  }
  const asked = await runChild([python, '-I', '-c', 'import venv, ensurepip'], false);
  if (asked.status !== 0) {
    throw new CommandLineError(
      `${python} can't make environments: ${printable(asked.output.trim().split('\n').at(-1) ?? '')}\n${VENV_CURE}`,
    );
  }
  const made = await withReadableFiles(async () =>
    runChild([python, '-I', '-m', 'venv', directory], false),
  );
  if (made.status !== 0) {
    if (!existed) {
      await rm(directory, { recursive: true, force: true });
    }
    throw new CommandLineError(
      `${python} -m venv ${directory} failed, with status ${made.status}:\n${made.output.trim()}`,
    );
  }
  return true;
}

const PIP = ['-I', '-m', 'pip', '--disable-pip-version-check', '--no-input'];

/**
 * Installs packages. Their set-up code runs as this command's user, unconfined.
 * @param words what pip is to install, and options of its own
 * @throws CommandLineError
 */
export async function installPackages(directory: string, words: readonly string[]): Promise<void> {
  requireEnvironment(directory);
  const { status } = await withReadableFiles(async () =>
    runChild(
      [
        interpreterOf(directory),
        ...PIP,
        'install',
        // The environment is nobody's but the jails': no package manager owns it.
        '--root-user-action=ignore',
        ...words,
      ],
      true,
    ),
  );
  if (status !== 0) {
    throw new CommandLineError(
      `pip could not install ${words.join(' ')} into ${directory}: see its message above`,
    );
  }
}

/**
 * The packages of an environment, as its pip lists them.
 * @throws CommandLineError
 */
export async function listPackages(directory: string): Promise<InstalledPackage[]> {
  requireEnvironment(directory);
  const { status, output } = await runChild(
    [interpreterOf(directory), ...PIP, 'list', '--format', 'json'],
    false,
  );
  const json = /^\[.*\]$/m.exec(output)?.[0];
  if (status !== 0 || json === undefined) {
    throw new CommandLineError(`pip could not list ${directory}:\n${output.trim()}`);
  }
  return (JSON.parse(json) as InstalledPackage[]).map(({ name, version }) => ({ name, version }));
}
