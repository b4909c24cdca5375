// The write end of a program's request pipe: what is left of a request that is larger than the pipe, and answers.
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { native } from '../native/addon';
import { pipeSocket } from '../native/pipe-socket';

/**
 * Writes pieces, one after the other.
 * @param onWritten called when the kernel has them all, or never will
 */
export function writePieces(
  stream: Writable,
  pieces: readonly Uint8Array[],
  onWritten?: () => void,
): void {
  const last = pieces.length - 1;
  for (const [index, piece] of pieces.entries()) {
    stream.write(piece, index === last ? onWritten : undefined);
  }
}

/** The write end of a request pipe. */
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
      const socket = this.#open();
      writePieces(socket, [rest, ...pieces]);
      socket.end();
    }
  }

  /** As `writePieces`, and leaves the pipe open for more. */
  write(pieces: readonly Uint8Array[], onWritten?: () => void): void {
    writePieces(this.#open(), pieces, onWritten);
  }

  #open(): Socket {
    this.#isOwn = false;
    this.#socket ??= pipeSocket(this.#descriptor, 'writable');
    return this.#socket;
  }

  /** Writes no more: the program is dead. */
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
