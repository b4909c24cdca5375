// A long text as it is written: pieces of UTF-8, none of which takes long to encode.
import { Budget } from '../time/budget';

/** Code units of one piece. */
const PIECE_LENGTH = 64 * 1024;

/** The text of a JSON value: all of it, or in UTF-8 and in pieces, where it is long. */
export type JsonText = string | readonly Buffer[];

/** How many bytes pieces have together. */
export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((bytes, { length }) => bytes + length, 0);
}

/**
 * A text with its length, in bytes, and a line break before it: what it comes through does not end there.
 * @param head what stands before the length
 */
export function withLength(text: JsonText, head = ''): readonly Buffer[] {
  return typeof text === 'string'
    ? [Buffer.from(`${head}${Buffer.byteLength(text)}\n${text}`)]
    : [Buffer.from(`${head}${sizeOf(text)}\n`), ...text];
}

/** Where a slice of a text ends, of so many code units at most: not between the halves of a character. */
export function endOfSlice(text: string, start: number, length: number): number {
  const end = Math.min(text.length, start + length);
  return end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? end - 1 : end;
}

/** A place in a text that is being written. */
export interface Mark {
  pieces: number;
  pending: string;
}

/** Text that is written piece by piece. */
export class TextBuffers {
  readonly #pieces: Buffer[] = [];
  #pending = '';

  /** @param text short, and no half of a character at its end unless it is alone */
  push(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= PIECE_LENGTH) {
      this.#pieces.push(Buffer.from(this.#pending));
      this.#pending = '';
    }
  }

  mark(): Mark {
    return { pieces: this.#pieces.length, pending: this.#pending };
  }

  /** Takes back what was written since. */
  reset({ pieces, pending }: Mark): void {
    this.#pieces.length = pieces;
    this.#pending = pending;
  }

  finish(): readonly Buffer[] {
    if (this.#pending !== '') {
      this.#pieces.push(Buffer.from(this.#pending));
      this.#pending = '';
    }
    return this.#pieces;
  }
}

/** A long text in UTF-8, encoded a slice at a time. */
export async function encodeInSlices(text: string): Promise<readonly Buffer[]> {
  const budget = new Budget();
  const pieces: Buffer[] = [];
  for (let start = 0; start < text.length;) {
    const end = endOfSlice(text, start, PIECE_LENGTH);
    pieces.push(Buffer.from(text.slice(start, end)));
    start = end;
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  return pieces;
}
