// Python's exec over a jail: the request that goes in, and the answer that comes out.
import { bytesRepr } from './bytes-repr';
import { SafeExecError, type PythonException } from './errors';
import { explainExceeded } from './exceeded';
import { parseJsonInSlices } from './json/parse';
import { isJsonObject, type JsonValue } from './json/value';
import type { JailResult } from './result';

/** What safeExec adds to a run's result. */
export interface SafeExecResult extends JailResult {
  /** The globals that came back; the object that was passed has been updated with them. */
  globals: Record<string, unknown>;
}

/** What safeExecJson adds to a run's result. */
export interface SafeExecJsonResult extends JailResult {
  /** The globals as Python wrote them: 1.0 is still 1.0. */
  globalsJson: string;
}

const NOT_ASCII = /[\u007f-\uffff]/g;

function ascii(text: string): string {
  return text.replaceAll(
    NOT_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The runner's request. `globalsJson` goes in untouched. */
export function encodeRequest(
  code: string,
  globalsJson: string,
  pythonPath: readonly string[],
): string {
  return `{"code":${ascii(JSON.stringify(code))},"globals":${globalsJson},"python_path":${JSON.stringify(pythonPath)}}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The runner writes five names. */
const EXCEPTION_BOUNDS = { maxNames: 16 };

// The channel is in the hands of hostile code: whatever does not fit is as good as absent.
async function decodeException(text: string): Promise<PythonException | null> {
  try {
    const value = await parseJsonInSlices(text, EXCEPTION_BOUNDS);
    if (!isJsonObject(value)) {
      return null;
    }
    const fields = new Map(Object.entries(value));
    const line = fields.get('line');
    return {
      type: textOf(fields.get('type')),
      module: fields.has('module') ? textOf(fields.get('module')) : null,
      message: textOf(fields.get('message')),
      line: typeof line === 'number' && Number.isSafeInteger(line) ? line : null,
      traceback: textOf(fields.get('traceback')),
    };
  } catch {
    return null;
  }
}

// Word for word as CodeJail's, whose users match on it.
function failureMessage(result: JailResult): string {
  return `Couldn't execute jailed code: stdout: ${bytesRepr(result.stdout)}, stderr: ${bytesRepr(result.stderr)} with status code: ${result.status}`;
}

function limitSentence({ exceeded }: JailResult): string {
  return exceeded === null ? '' : `: ${explainExceeded(exceeded)}`;
}

/** What a program's globals came to. */
export interface Answer {
  globals: Record<string, JsonValue>;
  globalsJson: string;
}

/** As many names as no program needs: each is a property to define, at once with all others. */
const GLOBALS_BOUNDS = { maxNames: 100_000 };

const GLOBALS = 0x47; // 'G'
const EXCEPTION = 0x45; // 'E'

/** To read a longer one takes longer than its program's end. */
const FORESEEN_BYTES = 16 * 1024;

function textOfBody(channel: Uint8Array): string | null {
  try {
    return utf8.decode(channel.subarray(1));
  } catch {
    // Not UTF-8: not the runner's.
    return null;
  }
}

/** Reads the runner's answer to one call. */
export class AnswerReader {
  #bytes = 0;
  #body: string | null = null;
  #globals: Promise<JsonValue> | undefined;

  /**
   * Reads what may be the answer already, as a rule while its program ends. Nothing is taken for granted: it counts
   * only if nothing else comes.
   * @param channel all that has come so far
   */
  foresee(channel: Uint8Array): void {
    if (this.#bytes === 0 && channel.length <= FORESEEN_BYTES && channel[0] === GLOBALS) {
      this.#bytes = channel.length;
      this.#body = textOfBody(channel);
      this.#globals =
        this.#body === null ? undefined : parseJsonInSlices(this.#body, GLOBALS_BOUNDS);
      this.#globals?.catch(() => undefined);
    }
  }

  /**
   * The answer.
   * @param channel all that has come, from a program that has ended
   * @returns the globals, parsed and as text
   * @throws SafeExecError where the program failed, was ended, or answered with something else
   */
  async read(result: JailResult, channel: Buffer): Promise<Answer> {
    const isForeseen = this.#bytes === channel.length;
    const body = isForeseen ? this.#body : textOfBody(channel);
    return decodeAnswer(result, channel, body, isForeseen ? this.#globals : undefined);
  }
}

async function decodeAnswer(
  result: JailResult,
  channel: Buffer,
  body: string | null,
  parsed: Promise<JsonValue> | undefined,
): Promise<Answer> {
  const kind = channel[0];
  if (result.status !== 0 || result.outcome !== 'exited') {
    const exception = kind === EXCEPTION && body !== null ? await decodeException(body) : null;
    throw new SafeExecError(`${failureMessage(result)}${limitSentence(result)}`, result, exception);
  }
  if (channel.length === 0) {
    throw new SafeExecError(
      `${failureMessage(result)}: the program ended without giving its globals back (it called sys.exit or os._exit)`,
      result,
      null,
    );
  }
  let why = 'it does not begin as a result does';
  if (kind === GLOBALS && body !== null) {
    try {
      const globals = await (parsed ?? parseJsonInSlices(body, GLOBALS_BOUNDS));
      if (isJsonObject(globals)) {
        return { globals, globalsJson: body };
      }
      why = 'it is not an object';
    } catch (error) {
      why = (error as Error).message;
    }
  }
  throw new SafeExecError(
    `${failureMessage(result)}: the program wrote on the result channel itself, and what came is no result (${why})`,
    result,
    null,
  );
}
