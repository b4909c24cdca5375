// How a command is configured.
import { describe } from '../text/describe';
import {
  anything,
  listOf,
  optional,
  optionsParser,
  parseArgument,
  readBoolean,
  readName,
  Refusal,
  type Reader,
} from './argument';
import { checkExecSize, readEnvironment, readKernelString } from './exec-strings';
import { readShownPath } from './shown-path';
import type { CommandArguments, CommandOptions } from './types';
import { parseWarm } from './warm';

const MAXIMUM_COMMAND_BYTES = 256 * 1024;

function readProfile(value: unknown): string {
  const profile = readName(value);
  if (profile.includes('\n')) {
    throw new Refusal('must not contain a line break');
  }
  return profile;
}

function readPython(value: unknown): boolean | 'owned' | 'found' {
  if (typeof value === 'boolean' || value === 'owned' || value === 'found') {
    return value;
  }
  throw new Refusal(`must be true, false, 'owned' or 'found', not ${describe(value)}`);
}

const commandShape = {
  bin: readName,
  args: optional(listOf(readKernelString)),
  python: optional(readPython),
  user: optional(readName),
  profile: optional(readProfile),
  readPaths: optional(listOf(readShownPath)),
  env: optional(readEnvironment),
  warm: optional(anything),
  allowExec: optional(readBoolean),
} satisfies Record<keyof CommandOptions, Reader<unknown>>;

const parseCommandShape = optionsParser(commandShape);

/**
 * Checks the name of a command: a string that is not empty.
 * @throws InvalidArgumentError
 */
export function parseCommandName(value: unknown, argument = 'command'): string {
  return parseArgument(readName, value, argument);
}

/**
 * Checks how a command is configured; a string is the program's path.
 * @throws InvalidArgumentError
 */
export function parseCommandOptions(value: unknown, argument = 'options'): CommandArguments {
  const options =
    typeof value === 'string'
      ? { bin: parseArgument(readName, value, argument) }
      : parseCommandShape(value, argument);
  const { args = [], env = {} } = options;
  checkExecSize(args, env, MAXIMUM_COMMAND_BYTES, `${argument}.args`);
  return {
    ...options,
    readPaths: [...new Set(options.readPaths ?? [])],
    env,
    warm: parseWarm(options.warm, `${argument}.warm`),
    allowExec: options.allowExec ?? false,
  };
}
