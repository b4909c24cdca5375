// The rest of a request, where it is larger than a pipe.
import type { Socket } from 'node:net';
import { native } from '../native';
import { pipeSocket } from '../pipe-socket';

/** The write end of a cell's request pipe. */
export class RequestWriter {
  readonly #descriptor: number;
  #socket: Socket | undefined;
  #isClosed = false;

  /** @param descriptor the write end of a pipe, which does not block; it is closed here */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Writes what is left to write, then closes the pipe. To be called once. */
  finish(rest: Uint8Array): void {
    if (rest.length === 0) {
      this.destroy();
      return;
    }
    this.#isClosed = true;
    this.#socket = pipeSocket(this.#descriptor, 'writable');
    this.#socket.end(rest);
  }

  /** Gives it up. */
  destroy(): void {
    this.#socket?.destroy();
    if (!this.#isClosed) {
      this.#isClosed = true;
      native().addon.closeDescriptor(this.#descriptor);
    }
  }
}
