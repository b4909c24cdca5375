import * as z from 'zod/mini';
import { describe } from './describe';
import { InvalidArgumentError } from './errors';
import { suggestionSentence } from './suggestion';

/** A conversion refused a value. `parseArgument` turns it into an InvalidArgumentError. */
export class Refusal extends Error {
  /**
   * @param problem what is wrong and what to do, continuing the sentence that the argument begins
   * @param path where below the converted value the fault is
   */
  constructor(
    readonly problem: string,
    readonly path: readonly PropertyKey[] = [],
  ) {
    super(problem);
  }
}

/** A schema that converts a value by a function; a `Refusal` thrown there becomes the schema's issue. */
export function converted<T>(convert: (value: unknown) => T): z.ZodMiniType<T> {
  return z.transform((value: unknown, context) => {
    try {
      return convert(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { problem, path } = error;
      context.issues.push({ code: 'custom', message: problem, path: [...path], input: value });
      return z.NEVER;
    }
  });
}

/** Turns a refusal into the error that callers see. */
function refusing<T>(argument: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new InvalidArgumentError(spellPath(argument, error.path), error.problem);
  }
}

/** What a value's own code does, a getter's or a Proxy's, may throw anything. */
function reading<T>(read: () => T, path: readonly PropertyKey[] = []): T {
  try {
    return read();
  } catch (error) {
    throw new Refusal(`can not be read: ${reasonOf(error)}`, path);
  }
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
  return reading(() => (value as Record<string, unknown>)[key], [key]);
}

function isList(value: unknown): value is unknown[] {
  return reading(() => Array.isArray(value));
}

/**
 * Copies an object's properties, reading each once: what is checked is then what is used, whatever
 * getters or Proxies were passed. Options set to undefined count as absent. An unknown key is refused.
 */
function readOptions(value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || isList(value)) {
    throw new Refusal(`must be an object, not ${describe(value)}`);
  }
  const unknown = reading(() => Object.keys(value)).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new Refusal(`is not an option. ${suggestionSentence(unknown, known)}`, [unknown]);
  }
  const copy: Record<string, unknown> = {};
  for (const key of known) {
    const property = readProperty(value, key);
    if (property !== undefined) {
      copy[key] = property;
    }
  }
  return copy;
}

/** An options object of this shape, once it is read. */
type Read<Shape extends z.core.$ZodShape> = z.output<z.ZodMiniObject<Shape, z.core.$strict>>;

/**
 * A parser of options objects with exactly these keys. What is absent and optional is not looked at: a schema of the
 * object as a whole takes a tenth of a warm call.
 * @returns a function that throws InvalidArgumentError naming the part at fault; `argument` is how the caller knows
 *   the value
 */
export function optionsParser<Shape extends z.core.$ZodShape>(
  shape: Shape,
): (value: unknown, argument: string) => Read<Shape> {
  const known = Object.keys(shape);
  const required = known.filter((key) => shape[key]?._zod.optout !== 'optional');
  return (value, argument) => {
    const options = refusing(argument, () => readOptions(value, known));
    for (const key of new Set([...required, ...Object.keys(options)])) {
      options[key] = parseArgument(shape[key] as z.ZodMiniType, options[key], argument, [key]);
    }
    return options as Read<Shape>;
  };
}

function readList(value: unknown): unknown[] {
  if (!isList(value)) {
    throw new Refusal(`must be an array, not ${describe(value)}`);
  }
  return reading(() => Array.from(value));
}

/** A schema of an array, copied, with items of this schema. */
export function listOf<T>(item: z.ZodMiniType<T>) {
  return z.pipe(converted(readList), z.array(item));
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
  return refusing(argument, () => readRecord(value, what));
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
    throw new Refusal('has a lone surrogate, which UTF-8 can not carry');
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

export const text = converted(readText);
export const name = converted(readName);

export const boolean = z.boolean({
  error: ({ input }) => `must be true or false, not ${describe(input)}`,
});

/** A schema of a whole number in a range, both ends included. */
export function integer(minimum: number, maximum: number): z.ZodMiniType<number> {
  return converted((value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw new Refusal(
        `must be a whole number from ${minimum} to ${maximum}, not ${describe(value)}`,
      );
    }
    if (value < minimum || value > maximum) {
      throw new Refusal(`must be from ${minimum} to ${maximum}, not ${describe(value)}`);
    }
    return value;
  });
}

/** A schema of a function. */
export function callback<F extends (...args: never[]) => unknown>(): z.ZodMiniType<F> {
  return converted((value) => {
    if (typeof value !== 'function') {
      throw new Refusal(`must be a function, not ${describe(value)}`);
    }
    return value as F;
  });
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
 * Checks a value against a schema.
 * @param argument how the caller knows the value: `options`
 * @param path where below it the value is
 * @throws InvalidArgumentError naming the part at fault
 */
export function parseArgument<T>(
  schema: z.ZodMiniType<T>,
  value: unknown,
  argument: string,
  path: readonly PropertyKey[] = [],
): T {
  const result = z.safeParse(schema, value);
  if (result.success) {
    return result.data;
  }
  const issue = result.error.issues[0];
  throw new InvalidArgumentError(
    spellPath(argument, [...path, ...(issue?.path ?? [])]),
    issue?.message ?? 'is not valid',
  );
}
