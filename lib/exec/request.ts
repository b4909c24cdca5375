// Python's exec over a jail: the request that goes in.
import { writeTextInSlices } from '../json/globals-writer';
import { SHORT_LENGTH } from '../json/parse';
import type { JsonText } from '../json/text-buffers';
import { pythonSource } from '../python/source';

const NOT_ASCII = /[\u007f-\uffff]/g;

function ascii(text: string): string {
  return text.replaceAll(
    NOT_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A program's code as JSON; of a long one the event loop goes on meanwhile. */
export function encodeCode(code: string): JsonText | Promise<JsonText> {
  return code.length <= SHORT_LENGTH ? ascii(JSON.stringify(code)) : writeTextInSlices(code);
}

/** What a program is told of a function that it can call: its name, and those of its arguments, where they are known. */
export interface FunctionNames {
  name: string;
  names: readonly string[] | undefined;
}

let source: string | undefined;

function functionsText(functions: readonly FunctionNames[]): string {
  if (functions.length === 0) {
    return '';
  }
  source ??= ascii(JSON.stringify(pythonSource('functions.py')));
  const told = functions.map(({ name, names }) => [name, names ?? null]);
  return `,"functions":${JSON.stringify(told)},"source":${source}`;
}

/** The runner's request. Both texts go in untouched. */
export function encodeRequest(
  codeJson: JsonText,
  globalsJson: JsonText,
  pythonPath: readonly string[],
  functions: readonly FunctionNames[] = [],
): JsonText {
  const tail = `,"python_path":${JSON.stringify(pythonPath)}${functionsText(functions)}}`;
  return typeof codeJson === 'string' && typeof globalsJson === 'string'
    ? `{"code":${codeJson},"globals":${globalsJson}${tail}`
    : [
        Buffer.from('{"code":'),
        ...piecesOf(codeJson),
        Buffer.from(',"globals":'),
        ...piecesOf(globalsJson),
        Buffer.from(tail),
      ];
}

function piecesOf(text: JsonText): readonly Buffer[] {
  return typeof text === 'string' ? [Buffer.from(text)] : text;
}
