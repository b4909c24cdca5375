// What the exec calls take besides their options.
import { InvalidArgumentError } from '../errors';
import { checkJsonObject, SHORT_LENGTH } from '../json/parse';
import { encodeInSlices, type JsonText } from '../json/text-buffers';

/** @throws InvalidArgumentError unless it is a string */
export function requireCode(code: unknown): void {
  if (typeof code !== 'string') {
    throw new InvalidArgumentError('code', `must be a string, not ${typeof code}`);
  }
}

/** @throws InvalidArgumentError unless it is an object that can take what comes back */
export function requireGlobals(globals: unknown): asserts globals is Record<string, unknown> {
  if (typeof globals !== 'object' || globals === null || Array.isArray(globals)) {
    throw new InvalidArgumentError('globals', 'must be an object: its keys are the names');
  }
  if (Object.isFrozen(globals)) {
    throw new InvalidArgumentError(
      'globals',
      'must be an object that can be changed, which takes what comes back; this one is frozen',
    );
  }
}

/**
 * The text of a JSON object, as it goes into a request.
 * @throws InvalidArgumentError where it is none
 */
export async function readJsonObject(text: unknown): Promise<JsonText> {
  if (typeof text !== 'string') {
    throw new InvalidArgumentError('globalsJson', `must be a string, not ${typeof text}`);
  }
  let isObject;
  try {
    isObject = await checkJsonObject(text);
  } catch (error) {
    throw new InvalidArgumentError('globalsJson', `is not JSON: ${(error as Error).message}`);
  }
  if (!isObject) {
    throw new InvalidArgumentError('globalsJson', 'must be the text of a JSON object');
  }
  return text.length <= SHORT_LENGTH ? text : encodeInSlices(text);
}

/** @throws InvalidArgumentError unless the command is a Python */
export function requirePython(command: string, python: boolean): void {
  if (!python) {
    throw new InvalidArgumentError(
      'options.command',
      `names ${JSON.stringify(command)}, which is not a Python`,
    );
  }
}
