// Gives a waiting cell its call.
import { writeSync } from 'node:fs';
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

  /** Writes everything, then closes the pipe. To be called once. */
  write(bytes: Uint8Array): void {
    let written = 0;
    try {
      written = writeSync(this.#descriptor, bytes);
    } catch {
      // EPIPE: the cell has died, which its end tells.
    }
    if (written === bytes.length) {
      this.destroy();
      return;
    }
    this.#isClosed = true;
    this.#socket = pipeSocket(this.#descriptor, 'writable');
    this.#socket.end(bytes.subarray(written));
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
