// The request pipe of a cell, and the rest of a request that is larger than it.
import type { Socket } from 'node:net';
import { native } from '../native/addon';
import { pipeSocket } from '../native/pipe-socket';

/** The write end of a cell's request pipe. */
export class RequestWriter {
  readonly #descriptor: number;
  #socket: Socket | undefined;
  #isOwn = true;

  /** @param descriptor the write end of a pipe, which does not block; it is closed here */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Writes what is left to write, and what follows it. To be called once. */
  finish(rest: Uint8Array, pieces: readonly Uint8Array[] = []): void {
    // Where nothing is left it stays open: whoever closes a pipe's last end frees it, which the program would do before
    // its first line.
    if (rest.length > 0 || pieces.length > 0) {
      this.#isOwn = false;
      this.#socket = pipeSocket(this.#descriptor, 'writable');
      for (const piece of [rest, ...pieces]) {
        this.#socket.write(piece);
      }
      this.#socket.end();
    }
  }

  /** Writes no more: the cell is dead. */
  stop(): void {
    this.#socket?.destroy();
  }

  /** Closes it, when there is time. */
  close(): void {
    this.stop();
    if (this.#isOwn) {
      this.#isOwn = false;
      native().addon.closeDescriptor(this.#descriptor);
    }
  }
}
