import { setImmediate as nextTurn } from 'node:timers/promises';
import { nativeParseIsExact } from './native-scan';
import { ExactReader } from './reader';
import type { JsonValue } from './value';

/** Bounds of `parseJson`. */
export interface ParseJsonOptions {
  /** How many arrays and objects may be open at once. 1000 unless told. */
  maxDepth?: number;
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
  const reader = new ExactReader(text, options.maxDepth ?? MAX_DEPTH);
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
 * @throws {JsonSyntaxError} for malformed text, for nesting beyond `maxDepth`, and for an integer of
 *   more than 4300 digits, which Python itself would refuse
 */
export function parseJson(text: string, options: ParseJsonOptions = {}): JsonValue {
  const maxDepth = options.maxDepth ?? MAX_DEPTH;
  if (nativeParseIsExact(text, maxDepth)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // NaN and Infinity, or malformed: the exact reader tells which, and where.
    }
  }
  return new ExactReader(text, maxDepth).read();
}
