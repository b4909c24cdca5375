// What a caller puts into a jail: copied, so that what it writes there later changes nothing.
import { types } from 'node:util';
import { InvalidArgumentError } from '../errors';
import { endOfSlice } from '../json/text-buffers';
import { LongContent } from '../spec/files';
import { describe } from '../text/describe';
import type { Budget } from '../time/budget';
import { NOT_WELL_FORMED, Refusal, spellPath } from './argument';

/** Code units, or bytes, of a piece. */
const PIECE_LENGTH = 64 * 1024;
/** What the options of one call copy at once, in bytes or code units. */
const AT_ONCE = 512 * 1024;

type Bytes = string | Uint8Array;

/** undefined: a string that is no text. */
function copyOf(value: Bytes): Buffer | undefined {
  if (typeof value !== 'string') {
    return Buffer.from(value);
  }
  return value.isWellFormed() ? Buffer.from(value) : undefined;
}

function pieceOf(value: Bytes, start: number, end: number): Buffer | undefined {
  return copyOf(typeof value === 'string' ? value.slice(start, end) : value.subarray(start, end));
}

function endOfPiece(value: Bytes, start: number): number {
  return typeof value === 'string'
    ? endOfSlice(value, start, PIECE_LENGTH)
    : Math.min(value.length, start + PIECE_LENGTH);
}

/** Text or bytes of a caller's that are not copied yet, since all at once would hold the event loop. */
export class Unread {
  /** In bytes, or in code units, each of which is a byte or more. */
  readonly length: number;

  /** @param path where among the options of its call it is */
  constructor(
    private readonly value: Bytes,
    private readonly path: readonly PropertyKey[],
  ) {
    this.length = value.length;
  }

  /**
   * Copies it; the event loop goes on meanwhile.
   * @throws InvalidArgumentError where it is no text, or has another length by now
   */
  async read(budget: Budget): Promise<LongContent> {
    const { value, length } = this;
    const argument = spellPath('options', this.path);
    const pieces: Buffer[] = [];
    for (let start = 0; start < length;) {
      if (value.length !== length) {
        throw new InvalidArgumentError(
          argument,
          'was made longer or shorter while it was copied: leave it as it is until the call has ended',
        );
      }
      const end = endOfPiece(value, start);
      const piece = pieceOf(value, start, end);
      if (piece === undefined) {
        throw new InvalidArgumentError(argument, NOT_WELL_FORMED);
      }
      pieces.push(piece);
      start = end;
      if (budget.isSpent()) {
        await budget.nextTurn();
      }
    }
    return new LongContent(pieces);
  }
}

/** Text or bytes of a caller's: copied, or to be. */
export type Given = Buffer | Unread;

/** Reads what one call is given: what is short at once, as long as there is little of it. */
export class ContentReader {
  #left = AT_ONCE;

  /**
   * @param path where among the options of the call it is
   * @throws Refusal where it is neither a string that is text nor a Uint8Array
   */
  read(value: unknown, path: readonly PropertyKey[]): Given {
    if (typeof value !== 'string' && !types.isUint8Array(value)) {
      throw new Refusal(`must be a string or a Uint8Array, not ${describe(value)}`);
    }
    if (value.length > this.#left) {
      this.#left = 0;
      return new Unread(value, path);
    }
    this.#left -= value.length;
    const copy = copyOf(value);
    if (copy === undefined) {
      throw new Refusal(NOT_WELL_FORMED);
    }
    return copy;
  }
}
