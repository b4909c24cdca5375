// What `session.py` answers to a step. The channel is in the hands of hostile code: whatever does not fit is no answer.
import { exceptionOf, GLOBALS_BOUNDS, textOf } from '../exec/answer';
import type { PythonException } from '../exec/error';
import type { OmittedGlobal } from '../exec/omitted';
import { parseJsonInSlices } from '../json/parse';
import { isJsonObject, textOrNone, type JsonValue } from '../json/value';
import type { Display } from './types';

/** A step's answer. */
export interface StepAnswer {
  value: string | null;
  display: Display[];
  globals: Record<string, JsonValue>;
  omitted: OmittedGlobal[];
  exception: PythonException | null;
}

const ANSWER = 0x53; // 'S'
const BINARY = /^image\/(?!svg)/;
const MOST_SHOWN = 1000;

function displayOf(value: JsonValue | undefined): Display[] {
  if (!Array.isArray(value)) {
    return [];
  }
  return value
    .slice(0, MOST_SHOWN)
    .filter(isJsonObject)
    .map(({ mime, data }) => {
      const type = textOrNone(mime);
      const text = textOrNone(data);
      return { mime: type, data: BINARY.test(type) ? Buffer.from(text, 'base64') : text };
    });
}

function omittedOf(value: JsonValue | undefined): OmittedGlobal[] {
  return Array.isArray(value)
    ? value.filter(isJsonObject).map(({ name, type, why }) => ({
        name: textOrNone(name),
        type: textOrNone(type),
        why: textOrNone(why),
      }))
    : [];
}

/**
 * Reads an answer.
 * @returns why it is none, where it is not
 */
export async function readStepAnswer(channel: Uint8Array): Promise<StepAnswer | string> {
  if (channel[0] !== ANSWER) {
    return channel.length === 0 ? 'nothing came' : 'it does not begin as a result does';
  }
  let answer: JsonValue;
  try {
    ({ value: answer } = await parseJsonInSlices(textOf(channel.subarray(1)), GLOBALS_BOUNDS));
  } catch (error) {
    return (error as Error).message;
  }
  if (!isJsonObject(answer)) {
    return 'it is not an object';
  }
  const fields = new Map(Object.entries(answer));
  const value = fields.get('value') ?? null;
  const globals = fields.get('globals');
  const exception = fields.get('exception') ?? null;
  if (
    (value !== null && typeof value !== 'string') ||
    globals === undefined ||
    !isJsonObject(globals) ||
    (exception !== null && !isJsonObject(exception))
  ) {
    return 'a part of it is missing';
  }
  return {
    value,
    display: displayOf(fields.get('display')),
    globals,
    omitted: omittedOf(fields.get('omitted')),
    exception: exception === null ? null : exceptionOf(exception),
  };
}

/** What stands for the exception of a step that wrote something else than an answer. */
export function noAnswer(why: string): StepAnswer {
  return {
    ...{ value: null, display: [], globals: {}, omitted: [] },
    exception: {
      ...{ type: 'SystemError', module: null, line: null, traceback: '' },
      message: `the step wrote on the result channel itself, and what came is no result (${why})`,
    },
  };
}
