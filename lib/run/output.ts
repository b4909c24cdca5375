// Reads what a program writes, up to a bound.
import type { Socket } from 'node:net';
import { native } from '../native/addon';
import { pipeSocket } from '../native/pipe-socket';
import { Budget } from '../time/budget';

const FIRST_CAPACITY = 1024;
/** So much is copied into a larger memory at once. */
const MAXIMUM_COPY = 1024 * 1024;
/** A memory for more than that. The kernel gives none of it before it is written to. */
const LARGE_CAPACITY = 16 * 1024 * 1024;

/** Whom a reader tells of what comes. */
export interface OutputListener {
  /** Called once, when more than the limit came. */
  onOver: () => void;
  /** Called when what came can't be kept, or a listener threw; nothing is kept from then on. */
  onFailure: (error: unknown) => void;
  /** Called with each chunk, as far as it is within the limit. */
  onChunk?: ((chunk: Buffer) => void) | undefined;
  /** Told each chunk first, as far as it is within the limit: gives back what of it is output. */
  sift?: ((chunk: Buffer) => Buffer) | undefined;
  /** Called when more was kept. */
  onKept?: (() => void) | undefined;
}

/** A pipe of a jail, read to its end. */
export class OutputReader {
  // One memory for all: a program that writes byte by byte would fill the server's with tiny buffers.
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;
  // What came before that, of more than a large memory holds.
  #before: Buffer[] = [];
  #limit = Number.POSITIVE_INFINITY;
  #listener: OutputListener | undefined;
  #hasFailed = false;
  /** Bytes that came, also those over the limit. */
  seen = 0;
  /** Whether the pipe has ended. */
  hasEnded = false;
  /** Settles then. */
  readonly ended: Promise<void>;
  #settleEnded: () => void = () => undefined;
  readonly #descriptor: number;
  #socket: Socket | undefined;
  #isHeld = true;

  /**
   * @param descriptor the read end of a pipe, which does not block; it is closed here, once `start` or `drain`
   *   was called
   */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.ended = new Promise((resolve) => {
      this.#settleEnded = () => {
        this.hasEnded = true;
        resolve();
      };
    });
  }

  /** Reads from now on, as it comes. */
  start(): void {
    if (this.#socket !== undefined || this.hasEnded) {
      return;
    }
    try {
      this.#socket = pipeSocket(this.#descriptor, 'readable');
    } catch (error) {
      // Nobody would end it: the call would wait for ever.
      this.#fail(error);
      this.#settleEnded();
      return;
    }
    this.#socket.once('close', this.#settleEnded);
    this.#socket.on('data', (chunk: Buffer) => {
      this.take(chunk);
    });
    this.hold(this.#isHeld);
  }

  /** Reads what the dead have left, at once, where it is not read as it comes. */
  drain(): void {
    if (this.#socket !== undefined || this.hasEnded) {
      return;
    }
    const { addon } = native();
    try {
      for (;;) {
        const chunk = addon.readRest(this.#descriptor);
        if (chunk === undefined) {
          // Somebody has yet to close it.
          this.start();
          return;
        }
        if (chunk === null) {
          this.#settleEnded();
          return;
        }
        this.take(chunk);
      }
    } catch (error) {
      // Nobody would end it: the call would wait for ever.
      this.#fail(error);
      addon.closeDescriptor(this.#descriptor);
      this.#settleEnded();
    }
  }

  /** To be called when the addon has closed it, before `take` of the last that came. */
  end(): void {
    if (!this.hasEnded) {
      this.#settleEnded();
    }
  }

  /**
   * Takes what the addon has read, before `start` if that is called; the chunk is nobody else's. Never throws: it
   * is called from the event loop.
   */
  take(chunk: Buffer): void {
    const room = this.#limit - this.seen;
    const isOver = this.seen <= this.#limit && chunk.length > room;
    this.seen += chunk.length;
    const within = room <= 0 ? undefined : chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (within !== undefined && !this.#hasFailed) {
      try {
        const kept = this.#listener?.sift?.(within) ?? within;
        if (kept.length > 0) {
          this.#keep(kept);
          this.#listener?.onChunk?.(kept);
          this.#listener?.onKept?.();
        }
      } catch (error) {
        this.#fail(error);
      }
    }
    if (isOver) {
      this.#listener?.onOver();
    }
  }

  // Rather none than less, where there is no memory for what came.
  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#replace(Buffer.alloc(0), 0);
    this.#before = [];
    this.#listener?.onFailure(error);
  }

  /**
   * Sets the bound; to be called before the program can write.
   * @param limit bytes to keep; 0 for no limit
   */
  bound(limit: number, listener: OutputListener): void {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    this.#listener = listener;
  }

  /** Whether the pipe keeps this process alive. */
  hold(held: boolean): void {
    this.#isHeld = held;
    if (held) {
      this.#socket?.ref();
    } else {
      this.#socket?.unref();
    }
  }

  /** Whether more came than the limit allows. */
  get over(): boolean {
    return this.seen > this.#limit;
  }

  /** Whether all that was kept is in one memory, as far as no more comes. */
  get isJoined(): boolean {
    return this.#before.length === 0;
  }

  /** Puts all that was kept into one memory, and lets the event loop go on meanwhile. To be called at the end. */
  async join(): Promise<void> {
    const parts = [...this.#before, this.#kept.subarray(0, this.#length)];
    const budget = new Budget();
    let length = 0;
    try {
      const all = Buffer.alloc(parts.reduce((sum, part) => sum + part.length, 0));
      for (const part of parts) {
        for (let start = 0; start < part.length; start += MAXIMUM_COPY) {
          length += part.copy(all, length, start, start + MAXIMUM_COPY);
          if (budget.isSpent()) {
            await budget.nextTurn();
          }
        }
      }
      this.#before = [];
      this.#replace(all, length);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What was kept, where it is joined. */
  bytes(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  #replace(kept: Buffer, length: number): void {
    this.#kept = kept;
    this.#length = length;
  }

  #keep(chunk: Buffer): void {
    const isUnseen = this.#listener?.onChunk === undefined;
    if (this.#length === 0 && this.#socket === undefined && isUnseen) {
      // Not a socket's, whose chunks may be parts of a larger memory, and not to be seen by a callback, which may
      // write to it.
      this.#replace(chunk, chunk.length);
      return;
    }
    let rest = chunk;
    if (rest.length > this.#kept.length - this.#length) {
      rest = rest.subarray(this.#makeRoom(rest));
    }
    rest.copy(this.#kept, this.#length);
    this.#length += rest.length;
  }

  /**
   * Takes a larger memory, or another one.
   * @returns how much of the chunk is stored in the one before already
   */
  #makeRoom(chunk: Buffer): number {
    const length = this.#length + chunk.length;
    if (this.#length > MAXIMUM_COPY && this.#kept.length >= LARGE_CAPACITY) {
      const stored = chunk.copy(this.#kept, this.#length);
      const next = Buffer.alloc(Math.max(LARGE_CAPACITY, chunk.length - stored));
      this.#before.push(this.#kept);
      this.#replace(next, 0);
      return stored;
    }
    const larger = Buffer.alloc(
      length > MAXIMUM_COPY
        ? Math.max(length, Math.min(LARGE_CAPACITY, this.#limit))
        : Math.max(length, 2 * this.#kept.length, FIRST_CAPACITY),
    );
    this.#kept.copy(larger, 0, 0, this.#length);
    this.#replace(larger, this.#length);
    return 0;
  }
}
