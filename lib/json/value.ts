/** What JSON as Python writes and reads it can carry; a `bigint` is an integer beyond ±(2^53-1). */
export type JsonValue =
  null | boolean | number | bigint | string | JsonValue[] | { [key: string]: JsonValue };

/** Whether the value is an object, and no array. */
export function isJsonObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of an object of whoever may have written thousands of others: they are not gone through. */
export function fieldOf(value: { [key: string]: JsonValue }, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A value that should be a text, of whoever may have written something else: an empty one then. */
export function textOrNone(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Python refuses to convert integers of more decimal digits to text or back. */
export const MAX_INTEGER_DIGITS = 4300;
