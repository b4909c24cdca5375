import { setImmediate as nextTurn } from 'node:timers/promises';
import { nativeParseIsExact } from './native-scan';
import { ExactReader } from './reader';
import { isJsonObject, type JsonValue } from './value';

/** Bounds of `parseJson`. */
export interface ParseJsonOptions {
  /** How many arrays and objects may be open at once. 1000 unless told. */
  maxDepth?: number;
  /** How many names the value may have, where it is an object; those of what it holds don't count. No bound unless told. */
  maxNames?: number;
}

const MAX_DEPTH = 1000;
/** Read at once: no text of this length takes long. */
const SHORT_LENGTH = 64 * 1024;
const SLICE_STEPS = 512;
const SLICE_MS = 4;

/**
 * As `parseJson`, and lets the event loop go on every few milliseconds: a text of 16 MiB that hostile code
 * wrote can take seconds.
 * @throws {JsonSyntaxError} as `parseJson`
 */
export async function parseJsonInSlices(
  text: string,
  options: ParseJsonOptions = {},
): Promise<JsonValue> {
  if (text.length <= SHORT_LENGTH) {
    return parseJson(text, options);
  }
  const reader = new ExactReader(text, options.maxDepth ?? MAX_DEPTH, options.maxNames);
  for (;;) {
    const until = performance.now() + SLICE_MS;
    do {
      const value = reader.readSome(SLICE_STEPS);
      if (value !== undefined) {
        return value;
      }
    } while (performance.now() < until);
    await nextTurn();
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
  const maxDepth = options.maxDepth ?? MAX_DEPTH;
  if (nativeParseIsExact(text, maxDepth)) {
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
  return new ExactReader(text, maxDepth, options.maxNames).read();
}

function hasMoreNames(value: JsonValue, maxNames: number | undefined): boolean {
  return maxNames !== undefined && isJsonObject(value) && Object.keys(value).length > maxNames;
}
