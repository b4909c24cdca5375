// What a session, and each of its steps, is told.
import { encodeCode, type FunctionNames } from '../exec/request';
import type { JsonText } from '../json/text-buffers';
import { pythonSource } from '../python/source';
import { Budget } from '../time/budget';

function ascii(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function joined(parts: readonly JsonText[]): JsonText {
  return parts.every((part) => typeof part === 'string')
    ? parts.join('')
    : parts.flatMap((part) => (typeof part === 'string' ? [Buffer.from(part)] : [...part]));
}

/** What `session.py` begins with. */
export function encodeSession(globalsJson: JsonText, pythonPath: readonly string[]): JsonText {
  return joined([`{"python_path":${ascii(pythonPath)},"globals":`, globalsJson, '}']);
}

/** What a step is told. */
export interface StepRequest {
  code: string;
  /** What its code is called in tracebacks. */
  name: string;
  globalsJson: JsonText;
  get: readonly string[];
  /** Whether it is kept from all others. */
  isApart: boolean;
  functions: readonly FunctionNames[];
}

let functionsSource: string | undefined;

function functionsText(functions: readonly FunctionNames[]): string {
  if (functions.length === 0) {
    return '';
  }
  functionsSource ??= ascii(pythonSource('functions.py'));
  const told = functions.map(({ name, names }) => [name, names ?? null]);
  return `,"functions":${ascii(told)},"source":${functionsSource}`;
}

/** A step's request. */
export async function encodeStep(request: StepRequest): Promise<JsonText> {
  const { name, get, isApart, functions } = request;
  return joined([
    '{"code":',
    await encodeCode(request.code),
    `,"name":${ascii(name)},"get":${ascii(get)},"apart":${String(isApart)},"globals":`,
    request.globalsJson,
    `${functionsText(functions)}}`,
  ]);
}

// A multiple of three: the pieces are one text in base64 then.
const PIECE_BYTES = 48 * 1024;

/** What a step is told that writes a file. */
export async function encodeFile(path: string, content: Uint8Array): Promise<JsonText> {
  const budget = new Budget();
  const pieces: Buffer[] = [Buffer.from(`{"path":${ascii(path)},"content":"`)];
  for (let start = 0; start < content.length; start += PIECE_BYTES) {
    const piece = Buffer.from(content.subarray(start, start + PIECE_BYTES));
    pieces.push(Buffer.from(piece.toString('base64')));
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  pieces.push(Buffer.from('"}'));
  return pieces;
}

/** What a fork is told that is to be another head's state. */
export const FORK_REQUEST = '{"fork":true}';
