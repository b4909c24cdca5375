// Options that must be refused, and what names them.
import { inspect } from 'node:util';
import { InvalidArgumentError } from '../../lib/errors';

/** What is given, and which argument the refusal has to name. */
export type Refused = [argument: string, options: unknown, message?: string | RegExp];

/** What some options are refused with. */
export function refused(
  parse: (options: unknown) => unknown,
  options: unknown,
): InvalidArgumentError {
  try {
    parse(options);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return error as InvalidArgumentError;
  }
  throw new Error('it was not refused');
}

/** A test for each that must be refused. */
export function deniesEach(parse: (options: unknown) => unknown, cases: Refused[]): void {
  const titled = cases.map(([argument, options, message]) => {
    const given = inspect(options, { maxStringLength: 30, maxArrayLength: 3 });
    return [argument, given, options, message] as const;
  });
  it.each(titled)('denies and names %s given %s', (argument, _given, options, message = '') => {
    const error = refused(parse, options);
    expect(error.argument).toBe(argument);
    expect(error.message.startsWith(`${argument} `)).toBe(true);
    expect(error.message).toMatch(message);
  });
}
