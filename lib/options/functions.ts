// Functions of the server's, as a call's options give them.
import type { CheckedFunction } from '../functions/host-calls';
import type { HostCall, StandardSchema } from '../functions/host-function';
import { describe } from '../text/describe';
import { LONGEST_TIMER_MS } from '../time/clock';
import {
  callback,
  integer,
  listOf,
  optional,
  optionsReader,
  readProperty,
  readRecord,
  readText,
  readWithin,
  Refusal,
  type Reader,
} from './argument';

/** More are no list that somebody has written. */
const MOST_FUNCTIONS = 1000;
const DEFAULT_CALLS = 1000;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
// Python's keywords (Lib/keyword.py), which no name can be, and what the runner itself gives a program.
const TAKEN = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global ' +
    'if import in is lambda nonlocal not or pass raise return try while with yield HostError'
  ).split(' '),
);

function readIdentifier(value: unknown): string {
  const name = readText(value);
  if (!IDENTIFIER.test(name) || TAKEN.has(name) || /^__.*__$/.test(name)) {
    throw new Refusal(
      `must be a name as a Python program may define it, of ASCII letters, digits and _, not ${describe(name)}`,
    );
  }
  return name;
}

function readNames(value: unknown): readonly string[] {
  const names = listOf(readIdentifier)(value);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Refusal(`names ${describe(twice)} twice`);
  }
  return names;
}

function readSchema(value: unknown): StandardSchema {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const standard = isObject ? readProperty(value, '~standard') : undefined;
  if (
    typeof standard !== 'object' ||
    standard === null ||
    typeof readProperty(standard, 'validate') !== 'function'
  ) {
    throw new Refusal(
      `must be a validator after Standard Schema (zod 3.24, valibot 1, arktype 2 and later are), not ${describe(value)}`,
    );
  }
  return value as StandardSchema;
}

function readSeconds(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value * 1000 <= LONGEST_TIMER_MS)) {
    throw new Refusal(
      `must be a number of seconds above 0, up to ${Math.floor(LONGEST_TIMER_MS / 1000)}, not ${describe(value)}`,
    );
  }
  return value;
}

const readDescribed = optionsReader({
  run: callback<CheckedFunction['run']>(),
  parameters: optional(readSchema),
  names: optional(readNames),
  maxCalls: optional(integer(0, 1_000_000)),
  timeout: optional(readSeconds),
} satisfies Record<string, Reader<unknown>>);

function readFunction(name: string, value: unknown): CheckedFunction {
  if (typeof value === 'function') {
    return {
      name,
      run: value as (this: HostCall, ...args: unknown[]) => unknown,
      isPlain: true,
      names: undefined,
      parameters: undefined,
      maxCalls: DEFAULT_CALLS,
      timeoutMs: undefined,
    };
  }
  const { run, parameters, names, maxCalls = DEFAULT_CALLS, timeout } = readDescribed(value);
  const timeoutMs = timeout === undefined ? undefined : Math.ceil(timeout * 1000);
  return { name, run, isPlain: false, names, parameters, maxCalls, timeoutMs };
}

/** Reads the option `functions`. */
export function readFunctions(value: unknown): readonly CheckedFunction[] {
  const entries = readRecord(value, 'an object whose keys are the names of functions');
  if (entries.length > MOST_FUNCTIONS) {
    throw new Refusal(`may have at most ${MOST_FUNCTIONS} functions, not ${entries.length}`);
  }
  return entries.map(([name, described]) =>
    readWithin([name], () => readFunction(readIdentifier(name), described)),
  );
}
