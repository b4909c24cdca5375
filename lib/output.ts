// Reads what a program writes, up to a bound.
import type { Socket } from 'node:net';
import { native } from './native';
import { pipeSocket } from './pipe-socket';

const FIRST_CAPACITY = 1024;

/** Whom a reader tells of what comes. */
export interface OutputListener {
  /** Called once, when more than the limit came. */
  onOver: () => void;
  /** Called when what came can't be kept, or a listener threw; nothing is kept from then on. */
  onFailure: (error: unknown) => void;
  /** Called with each chunk, as far as it is within the limit. */
  onChunk?: ((chunk: Buffer) => void) | undefined;
  /** Called when more was kept. */
  onKept?: (() => void) | undefined;
}

/** A pipe of a jail, read to its end. */
export class OutputReader {
  // One memory for all: a program that writes byte by byte would fill the server's with tiny buffers.
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;
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
    this.#socket = pipeSocket(this.#descriptor, 'readable');
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
    const kept = room <= 0 ? null : chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (kept !== null && kept.length > 0 && !this.#hasFailed) {
      try {
        this.#keep(kept);
        this.#listener?.onChunk?.(kept);
        this.#listener?.onKept?.();
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
    this.#kept = Buffer.alloc(0);
    this.#length = 0;
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

  /** What was kept. */
  bytes(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  #keep(chunk: Buffer): void {
    const isUnseen = this.#listener?.onChunk === undefined;
    if (this.#length === 0 && this.#socket === undefined && isUnseen) {
      // Not a socket's, whose chunks may be parts of a larger memory, and not to be seen by a callback, which may
      // write to it.
      this.#kept = chunk;
      this.#length = chunk.length;
      return;
    }
    const length = this.#length + chunk.length;
    if (length > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#kept.length, FIRST_CAPACITY));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    chunk.copy(this.#kept, this.#length);
    this.#length = length;
  }
}
