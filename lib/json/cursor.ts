import type { Pieces } from './pieces';
import { JsonSyntaxError } from './syntax-error';

/** Of a number, more than any that Python writes. */
export const MAX_NUMBER_LENGTH = 64 * 1024;
/** What is there of the text when a number, a literal or a part of a string begins, save at its end. */
const LOOK_AHEAD = MAX_NUMBER_LENGTH + 64;

/** A text, as far as it is there, and where its reader stands in it. */
export class Cursor {
  text = '';
  index = 0;
  /** Where `text` begins in the whole. */
  start = 0;
  private hasEnded = false;
  private readonly pieces: Pieces | undefined;

  /** @param text all of it, or where its pieces come from */
  constructor(text: string | Pieces) {
    if (typeof text === 'string') {
      this.text = text;
      this.hasEnded = true;
    } else {
      this.pieces = text;
    }
  }

  /** Whether too little of it is there to be read on. */
  get isShort(): boolean {
    return !this.hasEnded && this.text.length - this.index < LOOK_AHEAD;
  }

  /** Goes on to where the next piece is there too. */
  takePiece(): void {
    const piece = this.pieces?.next();
    if (piece === undefined) {
      this.hasEnded = true;
      return;
    }
    // Joined, it is flat, and no part of a longer text.
    const text = [this.text.slice(this.index), piece].join('');
    this.start += this.index;
    this.index = 0;
    this.text = text;
  }

  skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.index);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return;
      }
      this.index++;
    }
  }

  /** Goes past a character, where it stands there. */
  skip(code: number): boolean {
    if (this.text.charCodeAt(this.index) !== code) {
      return false;
    }
    this.index++;
    return true;
  }

  /** @param index in `text` */
  error(problem: string, index: number): JsonSyntaxError {
    return new JsonSyntaxError(problem, this.start + index);
  }

  unexpected(): JsonSyntaxError {
    const codePoint = this.text.codePointAt(this.index);
    return codePoint === undefined
      ? this.error('unexpected end', this.index)
      : this.error(`unexpected ${JSON.stringify(String.fromCodePoint(codePoint))}`, this.index);
  }
}
