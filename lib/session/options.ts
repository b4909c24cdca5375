// The options of sessions and of their steps.
import { InvalidArgumentError } from '../errors';
import { LIMIT_NAMES, type LimitName } from '../limits';
import type { Keep, SessionOptions, StepOptions } from './types';
import { describe } from '../text/describe';
import { LONGEST_TIMER_MS } from '../time/clock';
import {
  anything,
  listOf,
  optional,
  optionsParser,
  readText,
  Refusal,
  type Reader,
} from '../options/argument';
import { parseSafeExecOptions } from '../options/call';
import type { SafeExecArguments } from '../options/types';

/** `SessionOptions`, checked and copied. */
export interface SessionArguments extends SafeExecArguments {
  globals: Record<string, unknown>;
  idleMs: number;
}

/** `StepOptions`, checked and copied. */
export interface StepArguments extends SafeExecArguments {
  globals: Record<string, unknown>;
  get: readonly string[];
  keep: Keep;
}

const DEFAULT_IDLE_SECONDS = 900;
/** What a step may have of its own. */
const STEP_LIMITS: readonly LimitName[] = ['cpu', 'realtime', 'extraTime', 'output'];

function readGlobals(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal(`must be an object: its keys are the names; not ${describe(value)}`);
  }
  return value as Record<string, unknown>;
}

function readIdle(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value * 1000 <= LONGEST_TIMER_MS)) {
    const most = Math.floor(LONGEST_TIMER_MS / 1000);
    throw new Refusal(
      `must be a number of seconds from 0 (never) to ${most}, not ${describe(value)}`,
    );
  }
  return value;
}

function readKeep(value: unknown): Keep {
  if (value !== 'always' && value !== 'on-success' && value !== 'never') {
    throw new Refusal(`must be 'always', 'on-success' or 'never', not ${describe(value)}`);
  }
  return value;
}

const sessionShape = {
  globals: optional(readGlobals),
  idleSeconds: optional(readIdle),
  // These are checked as safeExec's.
  command: anything,
  files: anything,
  extraFiles: anything,
  pythonPath: anything,
  env: anything,
  functions: anything,
  limits: anything,
  limitOverridesContext: anything,
  tenant: anything,
  slug: anything,
  signal: anything,
} satisfies Record<keyof SessionOptions, Reader<unknown>>;

const stepShape = {
  globals: optional(readGlobals),
  get: optional(listOf(readText)),
  keep: optional(readKeep),
  limits: anything,
  collect: anything,
  functions: anything,
  onStdout: anything,
  onStderr: anything,
  onStdoutText: anything,
  onStderrText: anything,
  onStdoutLine: anything,
  onStderrLine: anything,
  signal: anything,
  slug: anything,
} satisfies Record<keyof StepOptions, Reader<unknown>>;

const parseSessionShape = optionsParser(sessionShape);
const parseStepShape = optionsParser(stepShape);

/**
 * Checks the options of `openSession`. That the files exist is `checkFiles`'s to say.
 * @throws InvalidArgumentError
 */
export function parseSessionOptions(value: unknown = {}, argument = 'options'): SessionArguments {
  const {
    globals = {},
    idleSeconds = DEFAULT_IDLE_SECONDS,
    ...call
  } = parseSessionShape(value, argument);
  return {
    ...parseSafeExecOptions(call, argument),
    globals,
    idleMs: Math.ceil(idleSeconds * 1000),
  };
}

/**
 * Checks the options of a session's `run`.
 * @throws InvalidArgumentError
 */
export function parseStepOptions(value: unknown = {}, argument = 'options'): StepArguments {
  const { globals = {}, get = [], keep = 'always', ...call } = parseStepShape(value, argument);
  const parsed = parseSafeExecOptions(call, argument);
  const other = LIMIT_NAMES.find((name) => name in parsed.limits && !STEP_LIMITS.includes(name));
  if (other !== undefined) {
    throw new InvalidArgumentError(
      `${argument}.limits.${other}`,
      `is the whole session's: give it to openSession. A step may have ${STEP_LIMITS.join(', ')} of its own`,
    );
  }
  return { ...parsed, globals, get, keep };
}
