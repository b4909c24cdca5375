import { MAX_NUMBER_LENGTH, type Cursor } from './cursor';
import { MAX_INTEGER_DIGITS } from './value';

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Whether a character, by its code, is a decimal digit. */
export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** The number that stands there. */
export function readNumber(cursor: Cursor): number | bigint {
  const start = cursor.index;
  const digitsStart = cursor.text.charCodeAt(start) === MINUS ? start + 1 : start;
  let end = endOfDigits(cursor, digitsStart);
  if (cursor.text.charCodeAt(digitsStart) === ZERO) {
    end = digitsStart + 1;
  }
  const digits = end - digitsStart;
  let isInteger = true;
  if (cursor.text[end] === '.') {
    end = endOfDigits(cursor, end + 1);
    isInteger = false;
  }
  if (cursor.text[end] === 'e' || cursor.text[end] === 'E') {
    const sign = cursor.text[end + 1];
    end = endOfDigits(cursor, sign === '+' || sign === '-' ? end + 2 : end + 1);
    isInteger = false;
  }
  if (isInteger && digits > MAX_INTEGER_DIGITS) {
    throw cursor.error(`integer of more than ${MAX_INTEGER_DIGITS} digits`, start);
  }
  if (end - start > MAX_NUMBER_LENGTH) {
    throw cursor.error(`number of more than ${MAX_NUMBER_LENGTH} characters`, start);
  }
  cursor.index = end;
  const token = cursor.text.slice(start, end);
  const value = Number(token);
  return isInteger && !Number.isSafeInteger(value) ? BigInt(token) : value;
}

/** The index after the digits that must stand at `start`. */
function endOfDigits(cursor: Cursor, start: number): number {
  let index = start;
  while (isDigit(cursor.text.charCodeAt(index))) {
    index++;
  }
  if (index === start) {
    cursor.index = start;
    throw cursor.unexpected();
  }
  return index;
}
