import { nativeParseIsExact } from './native-scan';
import { ExactReader } from './reader';
import type { JsonValue } from './value';

/** Bounds of `parseJson`. */
export interface ParseJsonOptions {
  /** How many arrays and objects may be open at once. 1000 unless told. */
  maxDepth?: number;
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
  const maxDepth = options.maxDepth ?? 1000;
  if (nativeParseIsExact(text, maxDepth)) {
    try {
      return JSON.parse(text) as JsonValue;
    } catch {
      // NaN and Infinity, or malformed: the exact reader tells which, and where.
    }
  }
  return new ExactReader(text, maxDepth).read();
}
