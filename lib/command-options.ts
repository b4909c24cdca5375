// How a command is configured.
import * as z from 'zod/mini';
import {
  boolean,
  converted,
  listOf,
  name,
  optionsParser,
  parseArgument,
  readName,
  Refusal,
} from './argument';
import { checkExecSize, environment, kernelString } from './exec-strings';
import { describe } from './describe';
import type { CommandArguments, CommandOptions } from './option-types';
import { readShownPath } from './shown-path';
import { parseWarm } from './warm-options';

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
  bin: name,
  args: z.optional(listOf(kernelString)),
  python: z.optional(converted(readPython)),
  user: z.optional(name),
  profile: z.optional(converted(readProfile)),
  readPaths: z.optional(listOf(converted(readShownPath))),
  env: z.optional(environment),
  warm: z.optional(z.unknown()),
  allowExec: z.optional(boolean),
} satisfies Record<keyof CommandOptions, z.ZodMiniType>;

const parseCommandShape = optionsParser(commandShape);

/**
 * Checks the name of a command: a string that is not empty.
 * @throws InvalidArgumentError
 */
export function parseCommandName(value: unknown, argument = 'command'): string {
  return parseArgument(name, value, argument);
}

/**
 * Checks how a command is configured; a string is the program's path.
 * @throws InvalidArgumentError
 */
export function parseCommandOptions(value: unknown, argument = 'options'): CommandArguments {
  const options =
    typeof value === 'string'
      ? { bin: parseArgument(name, value, argument) }
      : parseCommandShape(value, argument);
  const args = options.args ?? null;
  const env = options.env ?? {};
  checkExecSize(args ?? [], env, MAXIMUM_COMMAND_BYTES, `${argument}.args`);
  return {
    bin: options.bin,
    args,
    python: options.python ?? null,
    user: options.user ?? null,
    profile: options.profile ?? null,
    readPaths: [...new Set(options.readPaths ?? [])],
    env,
    warm: parseWarm(options.warm, `${argument}.warm`),
    allowExec: options.allowExec ?? false,
  };
}
