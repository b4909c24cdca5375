// Python environments for jails: made and filled by Python's own venv and pip, while nothing is confined.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

// There as long as an environment is being made, with the process that makes it: what was ended half-way has it still.
const UNFINISHED = '.codejail-unfinished';
const LOOK_AGAIN_MS = 200;

function isUnfinished(directory: string): boolean {
  return existsSync(join(directory, UNFINISHED));
}

function interpreterOf(directory: string): string {
  return join(directory, 'bin', 'python');
}

function isEnvironment(directory: string): boolean {
  return (
    !isUnfinished(directory) &&
    existsSync(join(directory, 'pyvenv.cfg')) &&
    existsSync(interpreterOf(directory))
  );
}

function requireEnvironment(directory: string): void {
  if (!isEnvironment(directory)) {
    throw new CommandLineError(
      `${directory} is ${isUnfinished(directory) ? 'a Python environment that was not finished' : 'no Python environment'}\n` +
        `Make it first: codejail env create ${directory}`,
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

function isMaking(process: string, directory: string): boolean {
  try {
    return readFileSync(`/proc/${process}/cmdline`, 'utf8').split('\0').includes(directory);
  } catch {
    return false;
  }
}

/** Waits for what another command has begun, whether that command lives or not. */
async function othersEnd(directory: string): Promise<void> {
  const file = join(directory, UNFINISHED);
  while (existsSync(file) && isMaking(readFileSync(file, 'utf8'), directory)) {
    await sleep(LOOK_AGAIN_MS);
  }
}

async function empty(directory: string): Promise<void> {
  for (const name of readdirSync(directory).filter((each) => each !== UNFINISHED)) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/**
 * Makes an environment, unless it is there already.
 * @param directory where; it must not exist, be empty, or have what an earlier try left that was ended half-way
 * @param python the interpreter that it will start
 * @returns whether it was made
 * @throws CommandLineError
 */
export async function createEnvironment(directory: string, python: string): Promise<boolean> {
  await othersEnd(directory);
  if (isEnvironment(directory)) {
    return false;
  }
  const existed = existsSync(directory);
  if (existed && readdirSync(directory).length > 0 && !isUnfinished(directory)) {
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
  const made = await withReadableFiles(async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, UNFINISHED), '');
    await empty(directory);
    return runChild([python, '-I', '-m', 'venv', directory], false, (pid) => {
      writeFileSync(join(directory, UNFINISHED), String(pid));
    });
  });
  if (made.status === 0) {
    await rm(join(directory, UNFINISHED));
  } else {
    await (existed ? empty(directory) : rm(directory, { recursive: true, force: true }));
    await rm(join(directory, UNFINISHED), { force: true });
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
