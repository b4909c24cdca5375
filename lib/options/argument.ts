import { InvalidArgumentError } from '../errors';
import { describe } from '../text/describe';
import { suggestionSentence } from '../text/suggestion';

/** What is wrong with a string that is no text. */
export const NOT_WELL_FORMED = 'has a lone surrogate, which UTF-8 can not carry';

/** A reader refused a value. `parseArgument` turns it into an InvalidArgumentError. */
export class Refusal extends Error {
  /**
   * @param problem what is wrong and what to do, continuing the sentence that the argument begins
   * @param path where below the value the fault is
   */
  constructor(
    readonly problem: string,
    readonly path: readonly PropertyKey[] = [],
  ) {
    super(problem);
  }
}

/** Checks a value of a caller's and copies what is kept of it. Throws a `Refusal`. */
export type Reader<T> = (value: unknown) => T;

/** What a value's own code does, a getter's or a Proxy's, may throw anything. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(error, []);
  }
}

function unreadable(error: unknown, path: readonly PropertyKey[]): Refusal {
  return new Refusal(`can not be read: ${reasonOf(error)}`, path);
}

function reasonOf(error: unknown): string {
  try {
    return describe(error instanceof Error ? error.message : error);
  } catch {
    return 'it throws';
  }
}

/**
 * Reads a property of what a caller passed.
 * @throws Refusal where its getter, or a Proxy, throws
 */
export function readProperty(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch (error) {
    throw unreadable(error, [key]);
  }
}

function isList(value: unknown): value is unknown[] {
  return reading(() => Array.isArray(value));
}

/** What `read` makes of a value, or undefined where there is none. */
export function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (value) => (value === undefined ? undefined : read(value));
}

/** The same, and null where it is null. */
export function nullish<T>(read: Reader<T>): Reader<T | null | undefined> {
  return (value) => (value === undefined || value === null ? value : read(value));
}

/** Takes a value as it is: it is checked later. */
export const anything: Reader<unknown> = (value) => value;

/** A refusal within a value is one within what holds it. */
export function readWithin<T>(path: readonly PropertyKey[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw refusedWithin(path, error);
  }
}

function refusedWithin(path: readonly PropertyKey[], error: unknown): unknown {
  return error instanceof Refusal ? new Refusal(error.problem, [...path, ...error.path]) : error;
}

/** How each option of an object is read. */
type Shape = Record<string, Reader<unknown>>;

/** An options object of this shape, once it is read. */
type Options<S extends Shape> = {
  [Key in keyof S as undefined extends ReturnType<S[Key]> ? Key : never]?: ReturnType<S[Key]>;
} & { [Key in keyof S as undefined extends ReturnType<S[Key]> ? never : Key]: ReturnType<S[Key]> };

/**
 * A reader of options objects with exactly these keys. Each property is read once: what is checked is then what is
 * used, whatever getters or Proxies were passed. Options set to undefined count as absent, and are so in what comes.
 */
export function optionsReader<S extends Shape>(shape: S): Reader<Options<S>> {
  const readers = Object.entries(shape);
  const known = new Set(Object.keys(shape));
  // Thousands of calls may be made in one turn of the event loop: a closure for each option would be a third of it.
  return (value) => {
    if (typeof value !== 'object' || value === null || isList(value)) {
      throw new Refusal(`must be an object, not ${describe(value)}`);
    }
    for (const key of reading(() => Object.keys(value))) {
      if (!known.has(key)) {
        throw new Refusal(`is not an option. ${suggestionSentence(key, [...known])}`, [key]);
      }
    }
    const options: Record<string, unknown> = {};
    for (const [key] of readers) {
      const property = readProperty(value, key);
      if (property !== undefined) {
        options[key] = property;
      }
    }
    for (const [key, readOption] of readers) {
      const property = options[key];
      try {
        const option = readOption(property);
        if (option !== property) {
          options[key] = option;
        }
      } catch (error) {
        throw refusedWithin([key], error);
      }
    }
    return options as Options<S>;
  };
}

/**
 * The same, of an argument.
 * @returns a function that throws InvalidArgumentError naming the part at fault; `argument` is how the caller knows
 *   the value
 */
export function optionsParser<S extends Shape>(
  shape: S,
): (value: unknown, argument: string) => Options<S> {
  const read = optionsReader(shape);
  return (value, argument) => parseArgument(read, value, argument);
}

function readList(value: unknown): unknown[] {
  if (!isList(value)) {
    throw new Refusal(`must be an array, not ${describe(value)}`);
  }
  return reading(() => Array.from(value));
}

/** Reads an array, copied, each of its items by this reader. */
export function listOf<T>(read: Reader<T>): Reader<T[]> {
  return (value) => readList(value).map((item, index) => readWithin([index], () => read(item)));
}

/**
 * Copies the entries of an object; each value is read once.
 * @param what the value should have been, in the error: `an object`
 */
export function readRecord(value: unknown, what = 'an object'): [string, unknown][] {
  if (typeof value !== 'object' || value === null || isList(value)) {
    throw new Refusal(`must be ${what}, not ${describe(value)}`);
  }
  return reading(() => Object.keys(value)).map((key) => [key, readProperty(value, key)]);
}

/**
 * The same, of an argument.
 * @throws InvalidArgumentError
 */
export function entriesOf(value: unknown, argument: string, what?: string): [string, unknown][] {
  return parseArgument((record) => readRecord(record, what), value, argument);
}

/**
 * Checks that a value is text that the kernel and a UTF-8 reader can be given: a string without NUL
 * and without a lone surrogate.
 */
export function readText(value: unknown): string {
  if (typeof value !== 'string') {
    throw new Refusal(`must be a string, not ${describe(value)}`);
  }
  if (value.includes('\0')) {
    throw new Refusal(`must not contain NUL: ${describe(value)}`);
  }
  if (!value.isWellFormed()) {
    throw new Refusal(NOT_WELL_FORMED);
  }
  return value;
}

/** The same as `readText`, and not empty. */
export function readName(value: unknown): string {
  const text = readText(value);
  if (text === '') {
    throw new Refusal('must not be empty');
  }
  return text;
}

/** Checks that a value is true or false. */
export function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') {
    throw new Refusal(`must be true or false, not ${describe(value)}`);
  }
  return value;
}

/** Reads a whole number in a range, both ends included. */
export function integer(minimum: number, maximum: number): Reader<number> {
  return (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw new Refusal(
        `must be a whole number from ${minimum} to ${maximum}, not ${describe(value)}`,
      );
    }
    if (value < minimum || value > maximum) {
      throw new Refusal(`must be from ${minimum} to ${maximum}, not ${describe(value)}`);
    }
    return value;
  };
}

/** Reads a function. */
export function callback<F extends (...args: never[]) => unknown>(): Reader<F> {
  return (value) => {
    if (typeof value !== 'function') {
      throw new Refusal(`must be a function, not ${describe(value)}`);
    }
    return value as F;
  };
}

/** An argument's path as JavaScript spells it: `options.extraFiles[2][0]`, `options.env["a b"]`. */
export function spellPath(argument: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((spelled, key) => {
    if (typeof key === 'number') return `${spelled}[${key}]`;
    const property = String(key);
    return /^[A-Za-z_$][\w$]*$/.test(property)
      ? `${spelled}.${property}`
      : `${spelled}[${JSON.stringify(property)}]`;
  }, argument);
}

/**
 * Reads a value of a caller's; what is refused becomes the error that callers see.
 * @param argument how the caller knows the value: `options`
 * @throws InvalidArgumentError naming the part at fault
 */
export function parseArgument<T>(read: Reader<T>, value: unknown, argument: string): T {
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new InvalidArgumentError(spellPath(argument, error.path), error.problem);
  }
}
