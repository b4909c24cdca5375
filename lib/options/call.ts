// The options of one call.
import { types } from 'node:util';
import { InvalidArgumentError } from '../errors';
import type { Input } from '../run/input';
import { PROGRAM_NAME, TMP_NAME, type StartDirectory } from '../spec/files';
import { describe } from '../text/describe';
import { LONGEST_TIMER_MS } from '../time/clock';
import {
  anything,
  callback,
  integer,
  listOf,
  optional,
  optionsParser,
  readBoolean,
  readName,
  readProperty,
  readText,
  Refusal,
  type Reader,
} from './argument';
import { ContentReader, type Given } from './content';
import { checkExecSize, readEnvironment, readKernelString } from './exec-strings';
import {
  checkNames,
  nameFiles,
  readExtraFiles,
  readHostPath,
  readRelativePath,
  type FileArgument,
} from './files';
import { readFunctions } from './functions';
import { parseLimits } from './limits';
import type {
  CloseOptions,
  JailCodeArguments,
  JailCodeOptions,
  RunArguments,
  RunOptions,
  SafeExecArguments,
  SafeExecOptions,
  WaitOptions,
} from './types';

// The kernel takes a quarter of the stack's limit, 2 MiB by default, for arguments and environment together.
const MAXIMUM_CALL_BYTES = 1536 * 1024;

// What is used of one.
const SIGNAL_METHODS = ['addEventListener', 'removeEventListener', 'throwIfAborted'] as const;

/** Checks that a value is what an AbortController has. */
export function readSignal(value: unknown): AbortSignal {
  // Not instanceof: a signal may come from another realm, such as a test runner's.
  if (
    typeof value !== 'object' ||
    value === null ||
    typeof readProperty(value, 'aborted') !== 'boolean' ||
    SIGNAL_METHODS.some((name) => typeof readProperty(value, name) !== 'function')
  ) {
    throw new Refusal(`must be an AbortSignal, not ${describe(value)}`);
  }
  return value as AbortSignal;
}

function readCode(value: unknown): Given {
  return new ContentReader().read(value, ['code']);
}

function readStdin(value: unknown): Given | Input {
  if (typeof value === 'string' || types.isUint8Array(value)) {
    return new ContentReader().read(value, ['stdin']);
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
  ) {
    // What it gives is checked as it comes.
    return value as AsyncIterable<string | Uint8Array>;
  }
  throw new Refusal(
    `must be a string, a Uint8Array or an async iterable of them, not ${describe(value)}`,
  );
}

function readPattern(value: unknown): string {
  const pattern = readName(value);
  return readRelativePath(pattern.startsWith('./') ? pattern.slice(2) : pattern);
}

function readCwd(value: unknown): StartDirectory {
  if (value !== '.' && value !== TMP_NAME) {
    throw new Refusal(`must be '.' or 'tmp', not ${describe(value)}`);
  }
  return value;
}

const runShape = {
  files: optional(listOf(readHostPath)),
  extraFiles: optional(readExtraFiles),
  cwd: optional(readCwd),
  limits: optional(anything),
  limitOverridesContext: optional(readText),
  tenant: optional(readText),
  slug: optional(readText),
  collect: optional(listOf(readPattern)),
  explain: optional(readBoolean),
  signal: optional(readSignal),
  argv: optional(listOf(readKernelString)),
  stdin: optional(readStdin),
  env: optional(readEnvironment),
  onStdout: optional(callback<(chunk: Buffer) => void>()),
  onStderr: optional(callback<(chunk: Buffer) => void>()),
  onStdoutText: optional(callback<(text: string) => void>()),
  onStderrText: optional(callback<(text: string) => void>()),
  onStdoutLine: optional(callback<(line: string) => void>()),
  onStderrLine: optional(callback<(line: string) => void>()),
} satisfies Record<keyof RunOptions, Reader<unknown>>;

const jailCodeShape = {
  ...runShape,
  code: optional(readCode),
} satisfies Record<keyof JailCodeOptions, Reader<unknown>>;

const safeExecShape = {
  ...runShape,
  command: optional(readName),
  pythonPath: optional(listOf(readHostPath)),
  functions: optional(readFunctions),
} satisfies Record<keyof SafeExecOptions, Reader<unknown>>;

const closeShape = {
  drain: optional(readBoolean),
  timeoutMs: optional(integer(0, LONGEST_TIMER_MS)),
} satisfies Record<keyof CloseOptions, Reader<unknown>>;

const waitShape = {
  signal: optional(readSignal),
} satisfies Record<keyof WaitOptions, Reader<unknown>>;

const parseCloseShape = optionsParser(closeShape);
const parseWaitShape = optionsParser(waitShape);
const parseJailCodeShape = optionsParser(jailCodeShape);
const parseSafeExecShape = optionsParser(safeExecShape);

/**
 * Checks the options of `warmUp`, `verify` and `inspectHost`: gives the signal.
 * @throws InvalidArgumentError
 */
export function parseWaitOptions(
  value: unknown = {},
  argument = 'options',
): AbortSignal | undefined {
  return parseWaitShape(value, argument).signal;
}

/**
 * Checks the options of `close`: undefined where nothing is drained.
 * @throws InvalidArgumentError
 */
export function parseCloseOptions(
  value: unknown = {},
  argument = 'options',
): { timeoutMs?: number } | undefined {
  const { drain, timeoutMs } = parseCloseShape(value, argument);
  if (drain !== true && timeoutMs !== undefined) {
    throw new InvalidArgumentError(`${argument}.timeoutMs`, 'is of use with drain: true only');
  }
  if (drain !== true) {
    return undefined;
  }
  return timeoutMs === undefined ? {} : { timeoutMs };
}

type ParsedRun = ReturnType<ReturnType<typeof optionsParser<typeof runShape>>>;

/**
 * What was given, under its own name, and the default of what was not. Each by its name, as no rest or spread of an object
 * does: of thousands of calls in one turn of the event loop those would be the longer half.
 */
function runArguments(options: ParsedRun, files: FileArgument[], argument: string): RunArguments {
  const { argv = [], env = {}, limits, limitOverridesContext } = options;
  checkExecSize(argv, env, MAXIMUM_CALL_BYTES, `${argument}.argv`);
  return {
    files,
    extraFiles: options.extraFiles ?? [],
    cwd: options.cwd ?? '.',
    argv,
    env,
    stdin: options.stdin,
    onStdout: options.onStdout,
    onStderr: options.onStderr,
    onStdoutText: options.onStdoutText,
    onStderrText: options.onStderrText,
    onStdoutLine: options.onStdoutLine,
    onStderrLine: options.onStderrLine,
    limits: limits === undefined ? {} : parseLimits(limits, `${argument}.limits`),
    // As in CodeJail, an empty context is none.
    limitOverridesContext: limitOverridesContext === '' ? undefined : limitOverridesContext,
    tenant: options.tenant,
    slug: options.slug,
    collect: options.collect ?? [],
    explain: options.explain === true,
    signal: options.signal,
  };
}

/**
 * Checks the options of `jailCode`. That the files exist is `checkFiles`'s to say.
 * @throws InvalidArgumentError
 */
export function parseJailCodeOptions(value: unknown, argument = 'options'): JailCodeArguments {
  const options = parseJailCodeShape(value, argument);
  const { code } = options;
  // As in CodeJail, empty code is no code: a program may then come by standard input.
  const hasCode = code !== undefined && code.length > 0;
  const files = nameFiles(options.files ?? [], `${argument}.files`);
  const { extraFiles = [] } = options;
  checkNames(files, extraFiles, hasCode ? [TMP_NAME, PROGRAM_NAME] : [TMP_NAME], argument);
  const run = runArguments(options, files, argument);
  return { ...run, code: hasCode ? code : undefined };
}

function safeExecArguments(value: unknown, argument: string): SafeExecArguments {
  const options = parseSafeExecShape(value, argument);
  const { command = 'python', pythonPath = [], extraFiles = [] } = options;
  const written = new Set(extraFiles.map(({ name: file }) => file.split('/', 1)[0]));
  const searched = nameFiles(pythonPath, `${argument}.pythonPath`);
  const files = nameFiles(options.files ?? [], `${argument}.files`);
  const known = new Set(files.map(({ path }) => path));
  const copied = searched.filter(({ path, name: file }) => !written.has(file) && !known.has(path));
  const all = [...files, ...copied];
  checkNames(all, extraFiles, [TMP_NAME, PROGRAM_NAME], argument);
  return {
    ...runArguments(options, all, argument),
    command,
    pythonPath: searched.map(({ name: file }) => file),
    searched: copied,
    functions: options.functions ?? [],
  };
}

const WITHOUT_OPTIONS: Readonly<SafeExecArguments> = Object.freeze(safeExecArguments({}, ''));

/**
 * Checks the options of `safeExec`; undefined where there are none. That the files exist is `checkFiles`'s to say.
 * @throws InvalidArgumentError
 */
export function parseSafeExecOptions(
  value: unknown,
  argument = 'options',
): Readonly<SafeExecArguments> {
  return value === undefined ? WITHOUT_OPTIONS : safeExecArguments(value, argument);
}
