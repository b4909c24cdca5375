// Which profiles are meant: that of a program's jails, and that of the launcher.
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { Option, type Command as CommandLine } from 'commander';
import { hostAbi } from '../apparmor/host';
import {
  ABIS,
  profileOptionsFor,
  renderLauncherProfile,
  renderProfile,
  type Abi,
} from '../apparmor/profile';
import { Command } from '../command/command';
import { DEFAULT_UID_POOL } from '../confinement/plan';
import { native } from '../native/addon';
import { parseCommandOptions } from '../options/command';
import { CommandLineError, usageError } from './failure';
import type { RenderedProfile } from './profile-file';
import { collectWords, defaultPython } from './program-options';
import { interpreterAt } from './python-path';

/** The name of the launcher's profile. */
export const LAUNCHER_PROFILE = 'codejail-launcher';

// Ubuntu's: there a program needs the rule `userns,` to make a user namespace.
const RESTRICTION = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';

/** As commander gives them. */
export interface ProfileOptions {
  python?: string;
  name?: string;
  readPath?: string[];
  allowExec?: boolean;
  abi?: Abi;
  launcher?: boolean;
}

/** Gives a command the options that say which profile is meant. */
export function addProfileOptions(command: CommandLine): void {
  command
    .argument('[program]', 'a program, by path or by name (default: the Python)')
    .option('--python <path>', 'the Python: an environment, or an interpreter')
    .option('--name <name>', "the profile's name (default: codejail-python, or codejail-PROGRAM)")
    .option('--read-path <path>', 'more of this host to show (again for more)', collectWords)
    .option('--allow-exec', 'let it run other programs that it can see')
    .addOption(
      new Option('--abi <version>', 'the version of policy (default: the newest here)').choices(
        ABIS,
      ),
    );
}

/** The default name of a profile. */
export function profileName(program: string | undefined, { name }: ProfileOptions): string {
  return name ?? `codejail-${program === undefined ? 'python' : basename(program)}`;
}

/** The binary of the command, as `configure` takes it. */
export function binaryOf(program: string | undefined, { python }: ProfileOptions): string {
  if (program !== undefined && python !== undefined) {
    throw usageError('give either a program or --python, not both');
  }
  if (program !== undefined) {
    return program.includes('/') ? resolve(program) : program;
  }
  return python === undefined ? defaultPython().bin : interpreterAt(python);
}

/**
 * Renders the profile of a program's jails.
 * @throws CommandLineError, InvalidArgumentError
 */
export async function renderFor(
  program: string | undefined,
  options: ProfileOptions,
): Promise<RenderedProfile> {
  const name = profileName(program, options);
  const command = parseCommandOptions({
    bin: binaryOf(program, options),
    python: program !== undefined ? 'found' : options.python === undefined ? 'owned' : true,
    readPaths: options.readPath?.map((path) => resolve(path)) ?? [],
    allowExec: options.allowExec ?? false,
  });
  const rest = {
    ...{ name, launcher: native().launcher, allowExec: command.allowExec },
    abi: options.abi ?? hostAbi() ?? '3.0',
  };
  const runtime = await new Command('program', command).runtime(DEFAULT_UID_POOL);
  return { name, text: renderProfile(await profileOptionsFor(runtime, rest)) };
}

/** Renders the profile that lets the launcher make namespaces. */
export function renderLauncher(): RenderedProfile {
  return {
    name: LAUNCHER_PROFILE,
    text: renderLauncherProfile({ launcher: native().launcher, name: LAUNCHER_PROFILE }),
  };
}

/**
 * Whether the launcher's profile belongs here: where the host restricts user namespaces, or where it is asked for.
 * @throws CommandLineError where it is asked for, and the parser does not know the rule
 */
export function wantsLauncher({ launcher }: ProfileOptions): boolean {
  if (launcher === true && hostAbi() !== '4.0') {
    throw new CommandLineError(
      "--launcher: this host's AppArmor does not mediate user namespaces (that began with AppArmor 4.0), so no profile is needed",
    );
  }
  return launcher ?? (existsSync(RESTRICTION) && hostAbi() === '4.0');
}
