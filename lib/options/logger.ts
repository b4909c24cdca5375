// Who is told what a jail does: a function, or an object as the loggers of servers are.
import { describe } from '../text/describe';
import { printable } from '../text/printable';
import { readProperty, Refusal } from './argument';
import type { LogFields, Logger, LogLevel, StructuredLogger } from './types';

/** Tells what a jail does, and about which call. */
export type Tell = (level: LogLevel, message: string, fields?: LogFields) => void;

/** Reads the option `logger`. An object is asked for its methods each time: pino changes them with its level. */
export function readLogger(value: unknown): Logger | StructuredLogger {
  if (typeof value === 'function') {
    return value as Logger;
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    ['info', 'warn'].every((level) => typeof readProperty(value, level) === 'function')
  ) {
    return value as StructuredLogger;
  }
  throw new Refusal(
    'must be a function of a level and a message, or a logger with the methods info(fields, message) and ' +
      `warn(fields, message), as pino's, not ${describe(value)}`,
  );
}

/** How a logger, or nobody, is told. */
export function tellTo(logger: Logger | StructuredLogger | undefined): Tell {
  if (logger === undefined) {
    return () => undefined;
  }
  // Names of commands, contexts and files stand in messages, and a log has a line for each.
  return typeof logger === 'function'
    ? (level, message, { slug } = {}) => {
        logger(level, printable(slug === undefined ? message : `${slug}: ${message}`));
      }
    : (level, message, fields = {}) => {
        logger[level](fields, printable(message));
      };
}
