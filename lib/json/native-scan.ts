const QUOTE = 0x22;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const UPPER_E = 0x45;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Every integer of so many digits is exact as a number. */
const SAFE_DIGITS = 15;

/**
 * Whether `JSON.parse` either refuses the text or reads it as `parseJson` would: no integer that it
 * would round, nothing nested deeper than `maxDepth`. One pass, linear in the text's length.
 */
export function nativeParseIsExact(text: string, maxDepth: number): boolean {
  const length = text.length;
  let depth = 0;
  let index = 0;
  while (index < length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
      if (index === -1) {
        return false;
      }
    } else if (code >= ZERO && code <= NINE) {
      const start = index;
      do {
        index++;
      } while (isDigit(text, index));
      if (index - start > SAFE_DIGITS && !isFractionStart(text, index)) {
        return false;
      }
      index = endOfFraction(text, index);
    } else {
      if (code === OPEN_BRACKET || code === OPEN_BRACE) {
        depth++;
        if (depth > maxDepth) {
          return false;
        }
      } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
        depth--;
      }
      index++;
    }
  }
  return true;
}

/** The index after the closing quote of the string that opens at `start`, or -1. */
function endOfString(text: string, start: number): number {
  let quote = start;
  for (;;) {
    const from = quote + 1;
    quote = text.indexOf('"', from);
    if (quote === -1) {
      return -1;
    }
    let backslashes = 0;
    while (quote - backslashes > from && text.charCodeAt(quote - backslashes - 1) === BACKSLASH) {
      backslashes++;
    }
    if (backslashes % 2 === 0) {
      return quote + 1;
    }
  }
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= ZERO && code <= NINE;
}

function isFractionStart(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === DOT || code === LOWER_E || code === UPPER_E;
}

function endOfFraction(text: string, start: number): number {
  let index = start;
  while (isFractionStart(text, index)) {
    index++;
    const sign = text.charCodeAt(index);
    if (sign === MINUS || sign === 0x2b) {
      index++;
    }
    while (isDigit(text, index)) {
      index++;
    }
  }
  return index;
}
