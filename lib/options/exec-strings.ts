// The words and the environment of a program, as the kernel takes them.
import { InvalidArgumentError } from '../errors';
import { readName, readRecord, readText, readWithin, Refusal } from './argument';

// The kernel's MAX_ARG_STRLEN, which counts the NUL at the end.
const MAXIMUM_STRING_BYTES = 128 * 1024 - 1;
const POINTER_BYTES = 8;

/** Reads one word. */
export function readKernelString(value: unknown): string {
  const string = readText(value);
  if (Buffer.byteLength(string) > MAXIMUM_STRING_BYTES) {
    throw new Refusal(`is longer than the kernel allows, ${MAXIMUM_STRING_BYTES} bytes`);
  }
  return string;
}

/** Reads variables by name. */
export function readEnvironment(value: unknown): Record<string, string> {
  const environment = Object.create(null) as Record<string, string>;
  for (const [key, content] of readRecord(value)) {
    if (content === undefined) continue;
    readWithin([key], () => {
      if (readName(key).includes('=')) {
        throw new Refusal('is not a name for a variable: it contains "="');
      }
      readKernelString(`${key}=${readText(content)}`);
    });
    environment[key] = content as string;
  }
  return environment;
}

/**
 * Checks that words and environment together fit into a program's start.
 * @param maximum bytes, with a NUL and a pointer for each string
 * @throws InvalidArgumentError
 */
export function checkExecSize(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  maximum: number,
  argument: string,
): void {
  let total = 0;
  for (const word of args) {
    total += Buffer.byteLength(word) + 1 + POINTER_BYTES;
  }
  for (const [key, value] of Object.entries(variables)) {
    total += Buffer.byteLength(key) + 1 + Buffer.byteLength(value) + 1 + POINTER_BYTES;
  }
  if (total > maximum) {
    throw new InvalidArgumentError(
      argument,
      `and the environment come to ${total} bytes; at most ${maximum} fit into a program's start`,
    );
  }
}
