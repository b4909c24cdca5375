// What `session.py` answers to a step. The channel is in the hands of hostile code: whatever does not fit is no answer.
import { exceptionOf, GLOBALS_BOUNDS, textOf } from '../exec/answer';
import type { PythonException } from '../exec/error';
import type { OmittedGlobal } from '../exec/omitted';
import { parseJsonInSlices } from '../json/parse';
import { fieldOf, isJsonObject, textOrNone, type JsonValue } from '../json/value';
import { Budget } from '../time/budget';
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
const PIECE_LENGTH = 64 * 1024;
const NO_BASE64 = /[^A-Za-z0-9+/_-]+/g;

/** The bytes of a text in base64, whoever wrote it. */
async function bytesOf(text: string, budget: Budget): Promise<Buffer> {
  // The kernel gives none of a large one before it is written to.
  const bytes = Buffer.alloc(Math.ceil((text.length * 3) / 4));
  let length = 0;
  let rest = '';
  for (let start = 0; start < text.length; start += PIECE_LENGTH) {
    const piece = rest + text.slice(start, start + PIECE_LENGTH).replaceAll(NO_BASE64, '');
    const whole = piece.length - (piece.length % 4);
    length += bytes.write(piece.slice(0, whole), length, 'base64');
    rest = piece.slice(whole);
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  length += bytes.write(rest, length, 'base64');
  return bytes.subarray(0, length);
}

async function displayOf(value: JsonValue | undefined, budget: Budget): Promise<Display[]> {
  const shown: Display[] = [];
  for (const item of Array.isArray(value) ? value.slice(0, MOST_SHOWN) : []) {
    if (isJsonObject(item)) {
      const mime = textOrNone(fieldOf(item, 'mime'));
      const text = textOrNone(fieldOf(item, 'data'));
      shown.push({ mime, data: BINARY.test(mime) ? await bytesOf(text, budget) : text });
    }
  }
  return shown;
}

async function omittedOf(value: JsonValue | undefined, budget: Budget): Promise<OmittedGlobal[]> {
  const omitted: OmittedGlobal[] = [];
  for (const item of Array.isArray(value) ? value : []) {
    if (isJsonObject(item)) {
      omitted.push({
        name: textOrNone(fieldOf(item, 'name')),
        type: textOrNone(fieldOf(item, 'type')),
        why: textOrNone(fieldOf(item, 'why')),
      });
    }
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  return omitted;
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
  const value = fieldOf(answer, 'value') ?? null;
  const globals = fieldOf(answer, 'globals');
  const exception = fieldOf(answer, 'exception') ?? null;
  if (
    (value !== null && typeof value !== 'string') ||
    globals === undefined ||
    !isJsonObject(globals) ||
    (exception !== null && !isJsonObject(exception))
  ) {
    return 'a part of it is missing';
  }
  const budget = new Budget();
  return {
    value,
    display: await displayOf(fieldOf(answer, 'display'), budget),
    globals,
    omitted: await omittedOf(fieldOf(answer, 'omitted'), budget),
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
