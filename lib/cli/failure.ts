// What goes wrong, as a person can act on it: what, which argument, what to do. Never a stack.
import { CommanderError } from 'commander';
import { byCause, NO_JAIL } from '../errors';
import {
  InvalidArgumentError,
  JailError,
  UnconfinedError,
  type LimitName,
  type MissingGuarantee,
} from '../index';
import { printableMessage } from '../text/printable';
import { ExitStatus } from './exit-status';
import { limitFlag } from './limit-options';
import { colorsOf, sayAside } from './terminal';

/** An error of the command line itself. */
export class CommandLineError extends Error {
  /**
   * @param message what happened; further lines say what to do
   * @param exitStatus what the command ends with
   */
  constructor(
    message: string,
    readonly exitStatus: number = ExitStatus.failed,
  ) {
    super(message);
  }
}

/** Wrong arguments. */
export function usageError(message: string): CommandLineError {
  return new CommandLineError(message, ExitStatus.usage);
}

// The library names an argument by its path in the call; a person has typed an option.
const OPTION_OF_ARGUMENT: readonly [RegExp, (found: RegExpExecArray) => string][] = [
  [/\blimits\.(\w+)$/, ([, name = '']) => limitFlag(name as LimitName)],
  [/\ballowMissing\b/, () => '--allow-missing'],
  [/\b(files|extraFiles)\b/, () => '--file'],
  [/\breadPaths\b/, () => '--read-path'],
  [/\benv\b/, () => '--env'],
  [/\bcollect\b/, () => '--collect'],
  [/\buser$/, () => '--user'],
  [/\bprofile$/, () => '--profile'],
  [/\bpython(\.bin)?$/, () => '--python'],
  [/\bbin$/, () => 'the program'],
  [/\bargv\b/, () => "the program's arguments"],
];

/** An option for the path of an argument: `--cpu` for `options.limits.cpu`. */
function optionOf(argument: string): string {
  for (const [pattern, option] of OPTION_OF_ARGUMENT) {
    const found = pattern.exec(argument);
    if (found !== null) {
      return option(found);
    }
  }
  return argument;
}

/** Guarantees that are missing, those of one cause together. */
export function missingLines(missing: readonly MissingGuarantee[], indent = '  '): string[] {
  return byCause(missing).flatMap(({ guarantees, why, cure }) => [
    `${indent}${guarantees.join(', ')}`,
    `${indent}  missing: ${why}`,
    `${indent}  cure:    ${cure}`,
  ]);
}

function messageOf(error: JailError): string {
  if (error instanceof UnconfinedError) {
    const names = error.missing.map(({ guarantee }) => guarantee).join(',');
    return [
      'nothing was run, because this host does not guarantee everything that is required',
      ...missingLines(error.missing),
      error.canBeGivenUp
        ? `To run without on purpose, give them up by name: --allow-missing ${names}`
        : NO_JAIL,
    ].join('\n');
  }
  if (error instanceof InvalidArgumentError && error.message.startsWith(error.argument)) {
    const problem = error.message
      .slice(error.argument.length)
      .replace(/^ names (.+?), which /, ' $1 ');
    return `${optionOf(error.argument)}${problem}`;
  }
  return error.message;
}

function statusOf(error: JailError): number {
  switch (error.code) {
    case 'ERR_CODEJAIL_INVALID_ARGUMENT':
    case 'ERR_CODEJAIL_NOT_CONFIGURED':
      return ExitStatus.usage;
    case 'ERR_CODEJAIL_UNCONFINED':
      return ExitStatus.refused;
    default:
      return ExitStatus.setup;
  }
}

/** Says that something went wrong. */
export function complain(message: string): void {
  const [first = '', ...rest] = printableMessage(message).split('\n');
  sayAside(`${colorsOf(process.stderr).red('codejail:')} ${first}`, ...rest);
}

/**
 * Says what went wrong, and gives the status to end with.
 * @throws what is no error that this package or a system call makes: that is a bug, and its stack is wanted
 */
export function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // It has said it already; help and version end well.
    return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
  }
  if (error instanceof CommandLineError) {
    complain(error.message);
    return error.exitStatus;
  }
  if (error instanceof JailError) {
    complain(messageOf(error));
    return statusOf(error);
  }
  if (error instanceof Error && 'syscall' in error) {
    complain(error.message);
    return ExitStatus.failed;
  }
  throw error;
}
