// A long text, a piece at a time: all of it at once would take the event loop for longer than a turn may.
import { JsonSyntaxError } from './syntax-error';

/** A text in pieces. */
export interface Pieces {
  /** The next one, or undefined at the end. */
  next(): string | undefined;
}

/** Code units, or bytes, of one piece. */
const PIECE_LENGTH = 128 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text that is there as a string. */
export class TextPieces implements Pieces {
  #index = 0;

  constructor(private readonly text: string) {}

  next(): string | undefined {
    const start = this.#index;
    this.#index += PIECE_LENGTH;
    return start < this.text.length ? this.text.slice(start, this.#index) : undefined;
  }
}

/** A text that came as UTF-8. */
export class BytePieces implements Pieces {
  #index = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** @throws {JsonSyntaxError} where it is not UTF-8 */
  next(): string | undefined {
    const start = this.#index;
    if (start >= this.bytes.length) {
      return undefined;
    }
    this.#index = this.#endOfCharacter(start + PIECE_LENGTH);
    try {
      return utf8.decode(this.bytes.subarray(start, this.#index));
    } catch {
      throw new JsonSyntaxError('bytes that are not UTF-8', start);
    }
  }

  // A character has four bytes at most; where more follow, decoding tells.
  #endOfCharacter(index: number): number {
    let end = index;
    while (end < index + 3 && ((this.bytes[end] ?? 0) & 0xc0) === 0x80) {
      end++;
    }
    return end;
  }
}

/** Passes pieces on, and keeps all that has passed. */
export class KeptPieces implements Pieces {
  /** What has passed. It is one flat string only when somebody looks into it. */
  text = '';

  constructor(private readonly pieces: Pieces) {}

  next(): string | undefined {
    const piece = this.pieces.next();
    if (piece !== undefined) {
      this.text += piece;
    }
    return piece;
  }
}
