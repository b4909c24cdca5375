import { isAbsolute } from 'node:path';
import { types } from 'node:util';
import * as z from 'zod/mini';
import {
  boolean,
  callback,
  converted,
  integer,
  listOf,
  name,
  optionsOf,
  parseArgument,
  readName,
  readRecord,
  readText,
  Refusal,
  spellPath,
  text,
} from './argument';
import { describe } from './describe';
import { InvalidArgumentError } from './errors';
import { GUARANTEE_NAMES, type GuaranteeName } from './guarantee-name';
import {
  checkNames,
  nameFiles,
  PROGRAM_NAME,
  readBytes,
  readExtraFiles,
  readHostPath,
  readRelativePath,
  type ExtraFile,
  type FileArgument,
} from './jail-files';
import { parseLimits } from './limits';
import type {
  CommandArguments,
  CommandOptions,
  JailArguments,
  JailCodeArguments,
  JailCodeOptions,
  JailOptions,
  Logger,
  RunArguments,
  RunOptions,
  SafeExecArguments,
  SafeExecOptions,
} from './option-types';
import { readShownPath } from './shown-path';
import { suggestionSentence } from './suggestion';
import { parseWarm } from './warm-options';

export type * from './option-types';
export type { WarmOptions } from './warm-options';
export { checkFiles } from './jail-files';

// The kernel's MAX_ARG_STRLEN, which counts the NUL at the end.
const MAXIMUM_STRING_BYTES = 128 * 1024 - 1;
// The kernel takes a quarter of the stack's limit, 2 MiB by default, for arguments and environment together.
const MAXIMUM_CALL_BYTES = 1536 * 1024;
const MAXIMUM_COMMAND_BYTES = 256 * 1024;
const POINTER_BYTES = 8;
const NOT_A_UID = 2 ** 32 - 1;

function readKernelString(value: unknown): string {
  const string = readText(value);
  if (Buffer.byteLength(string) > MAXIMUM_STRING_BYTES) {
    throw new Refusal(`is longer than the kernel allows, ${MAXIMUM_STRING_BYTES} bytes`);
  }
  return string;
}

function readEnvironment(value: unknown): Record<string, string> {
  const environment = Object.create(null) as Record<string, string>;
  for (const [key, content] of readRecord(value)) {
    if (content === undefined) continue;
    try {
      if (readName(key).includes('=')) {
        throw new Refusal('is not a name for a variable: it contains "="');
      }
      readKernelString(`${key}=${readText(content)}`);
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(error.problem, [key]) : error;
    }
    environment[key] = content as string;
  }
  return environment;
}

function readProfile(value: unknown): string {
  const profile = readName(value);
  if (profile.includes('\n')) {
    throw new Refusal('must not contain a line break');
  }
  return profile;
}

function readGuaranteeName(value: unknown): GuaranteeName {
  const found = GUARANTEE_NAMES.find((known) => known === value);
  if (found === undefined) {
    throw new Refusal(
      `must be the name of a guarantee, not ${describe(value)}. ` +
        suggestionSentence(typeof value === 'string' ? value : '', GUARANTEE_NAMES),
    );
  }
  return found;
}

function readSignal(value: unknown): AbortSignal {
  const signal = value as AbortSignal | null;
  // Not instanceof: a signal may come from another realm, such as a test runner's.
  if (
    typeof signal !== 'object' ||
    signal === null ||
    typeof signal.aborted !== 'boolean' ||
    typeof (signal.addEventListener as unknown) !== 'function'
  ) {
    throw new Refusal(`must be an AbortSignal, not ${describe(value)}`);
  }
  return signal;
}

function readStdin(value: unknown): Buffer | AsyncIterable<unknown> {
  if (typeof value === 'string' || types.isUint8Array(value)) {
    return readBytes(value);
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
  ) {
    return value as AsyncIterable<unknown>;
  }
  throw new Refusal(
    `must be a string, a Uint8Array or an async iterable of them, not ${describe(value)}`,
  );
}

function readPattern(value: unknown): string {
  const pattern = readName(value);
  return readRelativePath(pattern.startsWith('./') ? pattern.slice(2) : pattern);
}

const kernelString = converted(readKernelString);
const environment = converted(readEnvironment);
const hostPath = converted(readHostPath);
const later = z.unknown();

const uidPoolSchema = optionsOf({
  first: integer(1, NOT_A_UID - 1),
  count: integer(1, 65_536),
});

const commandShape = {
  bin: name,
  args: z.optional(listOf(kernelString)),
  user: z.optional(name),
  profile: z.optional(converted(readProfile)),
  readPaths: z.optional(listOf(converted(readShownPath))),
  env: z.optional(environment),
  warm: z.optional(later),
  allowExec: z.optional(boolean),
} satisfies Record<keyof CommandOptions, z.ZodMiniType>;

const jailShape = {
  allowMissing: z.optional(listOf(converted(readGuaranteeName))),
  alwaysBeUnsafe: z.optional(boolean),
  uidPool: z.optional(later),
  cgroup: z.optional(later),
  commands: z.optional(converted(readRecord)),
  limits: z.optional(later),
  logger: z.optional(callback<Logger>()),
} satisfies Record<keyof JailOptions, z.ZodMiniType>;

const runShape = {
  files: z.optional(listOf(hostPath)),
  extraFiles: z.optional(converted(readExtraFiles)),
  limits: z.optional(later),
  limitOverridesContext: z.optional(text),
  slug: z.optional(text),
  collect: z.optional(listOf(converted(readPattern))),
  signal: z.optional(converted(readSignal)),
} satisfies Record<keyof RunOptions, z.ZodMiniType>;

const jailCodeShape = {
  ...runShape,
  code: z.optional(converted(readBytes)),
  argv: z.optional(listOf(kernelString)),
  stdin: z.optional(converted(readStdin)),
  env: z.optional(environment),
  onStdout: z.optional(callback<(chunk: Buffer) => void>()),
  onStderr: z.optional(callback<(chunk: Buffer) => void>()),
} satisfies Record<keyof JailCodeOptions, z.ZodMiniType>;

const safeExecShape = {
  ...runShape,
  command: z.optional(name),
  pythonPath: z.optional(listOf(hostPath)),
} satisfies Record<keyof SafeExecOptions, z.ZodMiniType>;

const commandSchema = optionsOf(commandShape);
const jailSchema = optionsOf(jailShape);
const jailCodeSchema = optionsOf(jailCodeShape);
const safeExecSchema = optionsOf(safeExecShape);

function checkExecSize(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  maximum: number,
  argument: string,
): void {
  const strings = [...args, ...Object.entries(variables).map(([key, value]) => `${key}=${value}`)];
  const total = strings.reduce(
    (sum, string) => sum + Buffer.byteLength(string) + 1 + POINTER_BYTES,
    0,
  );
  if (total > maximum) {
    throw new InvalidArgumentError(
      argument,
      `and the environment come to ${total} bytes; at most ${maximum} fit into a program's start`,
    );
  }
}

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
      : parseArgument(commandSchema, value, argument);
  const args = options.args ?? null;
  const env = options.env ?? {};
  checkExecSize(args ?? [], env, MAXIMUM_COMMAND_BYTES, `${argument}.args`);
  return {
    bin: options.bin,
    args,
    user: options.user ?? null,
    profile: options.profile ?? null,
    readPaths: [...new Set(options.readPaths ?? [])],
    env,
    warm: parseWarm(options.warm, `${argument}.warm`),
    allowExec: options.allowExec ?? false,
  };
}

function parseUidPool(value: unknown, argument: string): JailArguments['uidPool'] {
  if (value === undefined) {
    return null;
  }
  const pool = parseArgument(uidPoolSchema, value, argument);
  for (const key of ['first', 'count'] as const) {
    if ((pool as Partial<typeof pool>)[key] === undefined) {
      throw new InvalidArgumentError(`${argument}.${key}`, 'is missing');
    }
  }
  if (pool.first + pool.count > NOT_A_UID) {
    throw new InvalidArgumentError(argument, `goes beyond the last user id, ${NOT_A_UID - 1}`);
  }
  return pool;
}

function parseCgroup(value: unknown, argument: string): JailArguments['cgroup'] {
  if (value === undefined || value === 'auto' || value === false) {
    return value ?? 'auto';
  }
  if (typeof value !== 'string' || !isAbsolute(value) || value.includes('\0')) {
    throw new InvalidArgumentError(
      argument,
      `must be 'auto', false, or the absolute path of a cgroup, not ${describe(value)}`,
    );
  }
  return value as `/${string}`;
}

/**
 * Checks the options of `createJail`.
 * @throws InvalidArgumentError
 */
export function parseJailOptions(value: unknown, argument = 'options'): JailArguments {
  const options = parseArgument(jailSchema, value, argument);
  const commands = new Map<string, CommandArguments>();
  for (const [key, command] of options.commands ?? []) {
    const here = spellPath(argument, ['commands', key]);
    commands.set(parseCommandName(key, here), parseCommandOptions(command, here));
  }
  return {
    allowMissing: [...new Set(options.allowMissing ?? [])],
    alwaysBeUnsafe: options.alwaysBeUnsafe ?? false,
    uidPool: parseUidPool(options.uidPool, `${argument}.uidPool`),
    cgroup: parseCgroup(options.cgroup, `${argument}.cgroup`),
    commands,
    limits: options.limits === undefined ? {} : parseLimits(options.limits, `${argument}.limits`),
    logger: options.logger ?? null,
  };
}

type ParsedRun = {
  [Key in Exclude<keyof RunOptions, 'files' | 'extraFiles' | 'limits'>]?: RunOptions[Key];
} & { limits?: unknown };

function runArguments(
  options: ParsedRun,
  files: FileArgument[],
  extraFiles: ExtraFile[],
  argument: string,
): RunArguments {
  return {
    files,
    extraFiles,
    limits: options.limits === undefined ? {} : parseLimits(options.limits, `${argument}.limits`),
    // As in CodeJail, an empty context is none.
    limitOverridesContext:
      options.limitOverridesContext === '' ? null : (options.limitOverridesContext ?? null),
    slug: options.slug ?? null,
    collect: options.collect ?? [],
    signal: options.signal ?? null,
  };
}

/**
 * Checks the options of `jailCode`. That the files exist is `checkFiles`'s to say.
 * @throws InvalidArgumentError
 */
export function parseJailCodeOptions(value: unknown, argument = 'options'): JailCodeArguments {
  const options = parseArgument(jailCodeSchema, value, argument);
  // As in CodeJail, empty code is no code: a program may then come by standard input.
  const code = options.code === undefined || options.code.length === 0 ? null : options.code;
  const files = nameFiles(options.files ?? [], `${argument}.files`);
  const extraFiles = options.extraFiles ?? [];
  checkNames(files, extraFiles, code === null ? ['tmp'] : ['tmp', PROGRAM_NAME], argument);
  const argv = options.argv ?? [];
  const env = options.env ?? {};
  checkExecSize(argv, env, MAXIMUM_CALL_BYTES, `${argument}.argv`);
  return {
    ...runArguments(options, files, extraFiles, argument),
    code,
    argv,
    stdin: options.stdin ?? null,
    env,
    onStdout: options.onStdout ?? null,
    onStderr: options.onStderr ?? null,
  };
}

/**
 * Checks the options of `safeExec`. That the files exist is `checkFiles`'s to say.
 * @throws InvalidArgumentError
 */
export function parseSafeExecOptions(value: unknown, argument = 'options'): SafeExecArguments {
  const options = parseArgument(safeExecSchema, value, argument);
  const extraFiles = options.extraFiles ?? [];
  const written = new Set(extraFiles.map(({ name: file }) => file.split('/', 1)[0]));
  const searched = nameFiles(options.pythonPath ?? [], `${argument}.pythonPath`);
  const files = nameFiles(options.files ?? [], `${argument}.files`);
  const known = new Set(files.map(({ path }) => path));
  const copied = searched.filter(({ path, name: file }) => !written.has(file) && !known.has(path));
  checkNames([...files, ...copied], extraFiles, ['tmp', PROGRAM_NAME], argument);
  return {
    ...runArguments(options, [...files, ...copied], extraFiles, argument),
    command: options.command ?? 'python',
    pythonPath: searched.map(({ name: file }) => file),
    searched: copied,
  };
}
