// What goes into a safeExec, and what becomes of its answer: globals that are updated, or text.
import { writeGlobalsInSlices } from '../json/globals-writer';
import { updateGlobalsInSlices } from '../json/merge';
import { jsonSafeIfFew } from '../json/safe';
import { stringifyJson } from '../json/stringify';
import type { JsonText } from '../json/text-buffers';
import type { JailResult } from '../run/result';
import {
  readGlobals,
  readText,
  type Answer,
  type AnswerGlobals,
  type ReadAnswer,
  type SafeExecJsonResult,
  type SafeExecResult,
} from './answer';

/** How an answer is read, and what the call's result is then. */
export interface Conclusion<Content, Result> {
  read: ReadAnswer<Content>;
  conclude: (result: JailResult, answer: Answer<Content>) => Result | Promise<Result>;
}

/** Gives the answer's text. */
export const AS_TEXT: Conclusion<string, SafeExecJsonResult> = {
  read: readText,
  conclude: (result, { content, omitted }) => ({ ...result, globalsJson: content, omitted }),
};

/** Updates the globals with what came back. */
export function updating(
  globals: Record<string, unknown>,
): Conclusion<AnswerGlobals, SafeExecResult> {
  return {
    read: readGlobals,
    conclude: async (result, { content, omitted }) => {
      await updateGlobalsInSlices(globals, content.globals, content.names);
      return { ...result, globals: content.globals, omitted };
    },
  };
}

/** Globals as JSON; of many the event loop goes on meanwhile. */
export function jsonOf(globals: Record<string, unknown>): JsonText | Promise<JsonText> {
  const few = jsonSafeIfFew(globals);
  return few === undefined ? writeGlobalsInSlices(globals) : stringifyJson(few);
}
