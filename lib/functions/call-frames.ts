// Takes the calls of functions out of what comes on a result channel. Whoever writes there is hostile.

/** A call of a function, as it came. */
export interface CallFrame {
  id: number;
  /** The number of the function. */
  index: number;
  body: Buffer;
}

const CALL = 0x43; // 'C'
const LINE_BREAK = 0x0a;
/** A longer head is none. */
const LONGEST_HEAD = 48;
const HEAD = /^C(\d{1,15}) (\d{1,6}) (\d{1,15})$/;
const FIRST_CAPACITY = 1024;

/** Bytes of an unknown number in one memory: a program that writes byte by byte would fill the server's with small ones. */
class Gathered {
  #bytes = Buffer.alloc(FIRST_CAPACITY);
  length = 0;

  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.length);
    this.length = length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}

/** A call of which the head has come. */
interface Frame {
  id: number;
  index: number;
  /** How many bytes of the body are to come. */
  left: number;
  /** Those that have, where it comes in pieces. */
  begun: Gathered | undefined;
}

const NOTHING = Buffer.alloc(0);

/** Reads them one after the other; the first byte that begins none begins the result. */
export class CallFrames {
  #isOver = false;
  #head: Buffer = NOTHING;
  #frame: Frame | undefined;

  /**
   * Takes what has come.
   * @param onCall told each call that is whole; false where it can't be one, and is so the beginning of a bad result
   * @returns what belongs to the result
   */
  take(chunk: Buffer, onCall: (call: CallFrame) => boolean): Buffer {
    let rest = chunk;
    while (!this.#isOver && rest.length > 0) {
      rest =
        this.#frame === undefined
          ? this.#takeHead(rest)
          : this.#takeBody(this.#frame, rest, onCall);
    }
    return rest;
  }

  #takeHead(chunk: Buffer): Buffer {
    const before = this.#head.length;
    const head =
      before === 0 ? chunk : Buffer.concat([this.#head, chunk.subarray(0, LONGEST_HEAD)]);
    this.#head = NOTHING;
    const end = head.subarray(0, LONGEST_HEAD).indexOf(LINE_BREAK);
    if (head[0] === CALL && end < 0 && head.length < LONGEST_HEAD) {
      this.#head = Buffer.from(head);
      return NOTHING;
    }
    const [, id, index, length] = HEAD.exec(head.toString('latin1', 0, Math.max(0, end))) ?? [];
    if (length === undefined) {
      return this.#end(before === 0 ? chunk : Buffer.concat([head.subarray(0, before), chunk]));
    }
    this.#frame = { id: Number(id), index: Number(index), left: Number(length), begun: undefined };
    return chunk.subarray(end + 1 - before);
  }

  #takeBody(frame: Frame, chunk: Buffer, onCall: (call: CallFrame) => boolean): Buffer {
    const part = chunk.subarray(0, frame.left);
    frame.left -= part.length;
    const rest = chunk.subarray(part.length);
    if (frame.left > 0) {
      frame.begun ??= new Gathered();
    }
    frame.begun?.add(part);
    if (frame.left > 0) {
      return rest;
    }
    this.#frame = undefined;
    const { id, index, begun } = frame;
    // As a rule it has come in one piece.
    if (onCall({ id, index, body: begun?.bytes() ?? part })) {
      return rest;
    }
    return this.#end(Buffer.concat([Buffer.from([CALL]), rest]));
  }

  #end(rest: Buffer): Buffer {
    this.#isOver = true;
    return rest;
  }
}
