import { Budget } from '../time/budget';
import { nativeParseIsExact } from './native-scan';
import { TextPieces, type Pieces } from './pieces';
import { ExactReader } from './reader';
import { isJsonObject, type JsonValue } from './value';
import type { ReaderBounds } from './value-builder';

/** Bounds of reading, each as in `ReaderBounds`. */
export interface ParseJsonOptions extends Partial<Omit<ReaderBounds, 'isOnlyChecked'>> {
  /** How many arrays and objects may be open at once. 1000 unless told. */
  maxDepth?: number;
}

/** What was read of a text. */
export interface ReadJson {
  value: JsonValue;
  /** The value's names, where it is an object: each once. */
  names: readonly string[];
}

const MAX_DEPTH = 1000;
/** Read at once: no text of this length takes long. */
export const SHORT_LENGTH = 64 * 1024;
const SLICE_STEPS = 256;

/**
 * As `parseJson`, and lets the event loop go on every few milliseconds: a text of 16 MiB that hostile code
 * wrote can take seconds.
 * @param text all of it, or its pieces
 * @throws {JsonSyntaxError} as `parseJson`; for bounds that only a long text is read with; what a piece throws
 */
export async function parseJsonInSlices(
  text: string | Pieces,
  options: ParseJsonOptions = {},
): Promise<ReadJson> {
  if (typeof text === 'string' && text.length <= SHORT_LENGTH) {
    const value = parseJson(text, options);
    return { value, names: isJsonObject(value) ? Object.keys(value) : [] };
  }
  return readInSlices(text, { maxDepth: MAX_DEPTH, ...options });
}

/**
 * Whether a text is what `parseJsonInSlices` would read, and that an object; without making anything of it, so that no
 * number of names or items is too many.
 * @throws {JsonSyntaxError} where it can't be read
 */
export async function checkJsonObject(text: string | Pieces): Promise<boolean> {
  const { value } = await (typeof text === 'string' && text.length <= SHORT_LENGTH
    ? parseJsonInSlices(text)
    : readInSlices(text, { maxDepth: MAX_DEPTH, isOnlyChecked: true }));
  return isJsonObject(value);
}

async function readInSlices(text: string | Pieces, bounds: ReaderBounds): Promise<ReadJson> {
  const reader = new ExactReader(typeof text === 'string' ? new TextPieces(text) : text, bounds);
  const budget = new Budget();
  for (;;) {
    const value = reader.readSome(SLICE_STEPS);
    if (value !== undefined) {
      return { value, names: reader.names };
    }
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
}

/**
 * Reads JSON as Python's `json.dumps` writes it: bare NaN, Infinity and -Infinity; integers beyond
 * ±(2^53-1) as `bigint`; -0.0 as -0. A key `__proto__` is an own key like any other; of equal keys
 * the last one wins. The time is linear in the text's length, whatever it holds.
 *
 * @throws {JsonSyntaxError} for malformed text, for nesting beyond `maxDepth` and names beyond `maxNames`,
 *   and for an integer of more than 4300 digits, which Python itself would refuse
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): JsonValue {
  const bounds = { maxDepth: MAX_DEPTH, ...options };
  if (nativeParseIsExact(text, bounds.maxDepth)) {
    try {
      const value = JSON.parse(text) as JsonValue;
      if (!hasMoreNames(value, options.maxNames)) {
        return value;
      }
    } catch {
      // NaN and Infinity, or malformed.
    }
    // The exact reader tells what is wrong, and where.
  }
  return new ExactReader(text, bounds).read();
}

function hasMoreNames(value: JsonValue, maxNames: number | undefined): boolean {
  return maxNames !== undefined && isJsonObject(value) && Object.keys(value).length > maxNames;
}
