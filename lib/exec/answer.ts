// Python's exec over a jail: the answer that comes out.
import { checkJsonObject, parseJsonInSlices, SHORT_LENGTH } from '../json/parse';
import { BytePieces, KeptPieces, type Pieces } from '../json/pieces';
import { JsonSyntaxError } from '../json/syntax-error';
import { fieldOf, isJsonObject, textOrNone, type JsonValue } from '../json/value';
import type { JailResult } from '../run/result';
import { codejailMessage, SafeExecError, type PythonException } from './error';
import { readOmitted, withoutOmitted, type OmittedGlobal } from './omitted';

/** What one `safeExec` gave: the result of its run, and the globals that came back. */
export interface SafeExecResult extends JailResult {
  /**
   * The globals that came back; the object that was passed has been updated with them. At most 80,000 names in one
   * object, 500,000 items in one list, and 200,000 lists and objects together: more reject with `SafeExecError`, and
   * `safeExecJson` gives any number as text.
   */
  globals: Record<string, unknown>;
  /** The globals that JSON can't carry: modules, functions and classes too. */
  omitted: OmittedGlobal[];
}

/** What one `safeExecJson` gave: the result of its run, and the globals as JSON text. */
export interface SafeExecJsonResult extends JailResult {
  /** The globals as Python wrote them: 1.0 is still 1.0. */
  globalsJson: string;
  /** The globals that JSON can't carry: modules, functions and classes too. */
  omitted: OmittedGlobal[];
}

/** The runner writes five names. */
const EXCEPTION_BOUNDS = { maxNames: 16 };

/** What the runner tells of an exception. Hostile code may have written it: whatever does not fit is as good as absent. */
export function exceptionOf(told: { [key: string]: JsonValue }): PythonException {
  const line = fieldOf(told, 'line');
  const module = fieldOf(told, 'module');
  return {
    type: textOrNone(fieldOf(told, 'type')),
    module: module === undefined ? null : textOrNone(module),
    message: textOrNone(fieldOf(told, 'message')),
    line: typeof line === 'number' && Number.isSafeInteger(line) ? line : null,
    traceback: textOrNone(fieldOf(told, 'traceback')),
  };
}

async function decodeException(channel: Uint8Array): Promise<PythonException | null> {
  try {
    const { value } = await parseJsonInSlices(textOf(channel.subarray(1)), EXCEPTION_BOUNDS);
    return isJsonObject(value) ? exceptionOf(value) : null;
  } catch {
    return null;
  }
}

/** What came back of a program, beside its result. */
export interface Answer<Content> {
  content: Content;
  omitted: OmittedGlobal[];
}

/** What a program's globals came to. */
export interface AnswerGlobals {
  globals: Record<string, JsonValue>;
  /** Their names, each once. */
  names: readonly string[];
}

/**
 * As many names, and items of one list, as no program needs: V8 makes room for more by one long step. And as many lists
 * and objects as one collection of garbage can move within a turn. Of text alone, which is only checked, any number is
 * fine.
 */
export const GLOBALS_BOUNDS = {
  maxNames: 80_000,
  maxInnerNames: 80_000,
  maxItems: 500_000,
  maxContainers: 200_000,
};

/** Makes something of the text of an answer; undefined where it is no object's. Throws where it is no text. */
export type ReadAnswer<Content> = (text: string | Pieces) => Promise<Content | undefined>;

/** Reads an answer's text as globals. */
export const readGlobals: ReadAnswer<AnswerGlobals> = async (text) => {
  const { value, names } = await parseJsonInSlices(text, GLOBALS_BOUNDS);
  return isJsonObject(value) ? { globals: value, names } : undefined;
};

/** Checks an answer's text, and keeps it. */
export const readText: ReadAnswer<string> = async (text) => {
  if (typeof text === 'string') {
    return (await checkJsonObject(text)) ? text : undefined;
  }
  const kept = new KeptPieces(text);
  return (await checkJsonObject(kept)) ? kept.text : undefined;
};

const GLOBALS = 0x47; // 'G'
const EXCEPTION = 0x45; // 'E'

/** To read a longer one takes longer than its program's end. */
const FORESEEN_BYTES = 16 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of bytes.
 * @throws {JsonSyntaxError} where it is not UTF-8, and short; a long one tells when it is read
 */
export function textOf(bytes: Uint8Array): string | Pieces {
  if (bytes.length > SHORT_LENGTH) {
    return new BytePieces(bytes);
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw new JsonSyntaxError('bytes that are not UTF-8', 0);
  }
}

function isGlobals(channel: Uint8Array): boolean {
  return withoutOmitted(channel)[0] === GLOBALS;
}

/** Reads the runner's answer to one call. */
export class AnswerReader<Content> {
  readonly #read: ReadAnswer<Content>;
  #bytes = 0;
  #foreseen: Promise<Content | undefined> | undefined;

  /** @param read what becomes of the text */
  constructor(read: ReadAnswer<Content>) {
    this.#read = read;
  }

  /**
   * Reads what may be the answer already, as a rule while its program ends. Nothing is taken for granted: it counts
   * only if nothing else comes.
   * @param channel all that has come so far
   */
  foresee(channel: Uint8Array): void {
    if (this.#bytes === 0 && channel.length <= FORESEEN_BYTES && isGlobals(channel)) {
      this.#bytes = channel.length;
      this.#foreseen = this.#readText(channel);
      this.#foreseen.catch(() => undefined);
    }
  }

  async #readText(channel: Uint8Array): Promise<Content | undefined> {
    return this.#read(textOf(withoutOmitted(channel).subarray(1)));
  }

  /**
   * The answer.
   * @param channel all that has come, from a program that has ended
   * @throws SafeExecError where the program failed, was ended, or answered with something else
   */
  async read(result: JailResult, channel: Buffer): Promise<Answer<Content>> {
    const body = withoutOmitted(channel);
    const kind = body[0];
    if (result.status !== 0 || result.outcome !== 'exited') {
      const exception = kind === EXCEPTION ? await decodeException(body) : null;
      throw new SafeExecError(codejailMessage(result), result, exception);
    }
    if (channel.length === 0) {
      throw new SafeExecError(
        `${codejailMessage(result)}: the program ended without giving its globals back (it called sys.exit or os._exit)`,
        result,
        null,
      );
    }
    let why = 'it does not begin as a result does';
    if (kind === GLOBALS) {
      try {
        const isForeseen = this.#bytes === channel.length;
        const content = await ((isForeseen ? this.#foreseen : undefined) ??
          this.#readText(channel));
        if (content !== undefined) {
          return { content, omitted: readOmitted(channel) };
        }
        why = 'it is not an object';
      } catch (error) {
        why = (error as Error).message;
      }
    }
    throw new SafeExecError(
      `${codejailMessage(result)}: the program wrote on the result channel itself, and what came is no result (${why})`,
      result,
      null,
    );
  }
}
