// The options that say which program is meant, and with what. Of `run` and of `verify`.
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { autoConfiguredPython } from '../command/default-python';
import {
  createJail,
  type CommandOptions,
  type GuaranteeName,
  type Jail,
  type Limits,
} from '../index';
import { CommandLineError } from './failure';
import { interpreterAt } from './python-path';

/** As commander gives them. */
export interface ProgramOptions {
  python?: string;
  user?: string;
  profile?: string;
  readPath?: string[];
  allowExec?: boolean;
  allowMissing?: string[];
}

/** The words of an option that can be given several times. */
export function collectWords(word: string, words: string[] = []): string[] {
  return [...words, word];
}

function collectNames(list: string, names: string[] = []): string[] {
  return [...names, ...list.split(',').filter((name) => name !== '')];
}

/** Gives a command these options. */
export function addProgramOptions(command: Command): void {
  const group = 'Confinement:';
  command
    .addOption(
      new Option(
        '--python <path>',
        'the Python to use: an environment, or an interpreter',
      ).helpGroup(group),
    )
    .addOption(new Option('--profile <name>', 'the AppArmor profile to change to').helpGroup(group))
    .addOption(
      new Option(
        '--user <name>',
        'the sandbox user, where you are root or have the capabilities (default: a uid of its own for each run)',
      ).helpGroup(group),
    )
    .addOption(
      new Option('--read-path <path>', 'more of this host to show, read-only (again for more)')
        .argParser(collectWords)
        .helpGroup(group),
    )
    .addOption(
      new Option('--allow-exec', 'let it run other programs that it can see').helpGroup(group),
    )
    .addOption(
      new Option('--allow-missing <names>', 'guarantees to give up where this host lacks them')
        .argParser(collectNames)
        .helpGroup(group),
    );
}

/** A jail with the one command that is meant. */
export interface PreparedJail {
  jail: Jail;
  command: string;
}

/**
 * A jail for a program, or for Python where none is named.
 * @param program a path or a name in PATH; undefined: the Python
 * @throws CommandLineError, InvalidArgumentError
 */
export function prepareJail(
  program: string | undefined,
  options: ProgramOptions,
  limits: Partial<Limits> = {},
): PreparedJail {
  const found = program === undefined && options.python === undefined ? defaultPython() : undefined;
  const command: CommandOptions = {
    bin:
      program === undefined
        ? (found?.bin ?? interpreterAt(options.python ?? ''))
        : program.includes('/')
          ? resolve(program)
          : program,
    // What a file's name or first line says of itself is not the operator's word.
    python: program !== undefined ? 'found' : found !== undefined ? 'owned' : true,
    user: options.user ?? found?.user,
    profile: options.profile,
    readPaths: options.readPath?.map((path) => resolve(path)),
    allowExec: options.allowExec,
  };
  const name = program === undefined ? 'python' : 'program';
  return {
    command: name,
    jail: createJail({
      commands: { [name]: command },
      allowMissing: options.allowMissing as GuaranteeName[] | undefined,
      limits,
    }),
  };
}

/**
 * The Python that jails find by themselves.
 * @throws CommandLineError where there is none
 */
export function defaultPython(): { bin: string; user: string | undefined } {
  const python = autoConfiguredPython();
  if (python === undefined) {
    throw new CommandLineError(
      'there is no python3 on this host\nInstall it (sudo apt-get install -y python3), or name one with --python',
    );
  }
  return { bin: python.bin, user: python.user };
}
