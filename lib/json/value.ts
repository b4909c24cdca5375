/** What JSON as Python writes and reads it can carry; a `bigint` is an integer beyond ±(2^53-1). */
export type JsonValue =
  null | boolean | number | bigint | string | JsonValue[] | { [key: string]: JsonValue };

/** Python refuses to convert integers of more decimal digits to text or back. */
export const MAX_INTEGER_DIGITS = 4300;
