// Feeds a program's standard input.
import type { Socket } from 'node:net';
import { InvalidArgumentError } from '../errors';
import { native } from '../native/addon';
import { pipeSocket } from '../native/pipe-socket';
import { describe } from '../text/describe';

/** What a program can be given on standard input. */
export type Input = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** The write end of a jail's standard input. */
export class InputWriter {
  readonly #socket: Socket | undefined;
  #iterator: AsyncIterator<string | Uint8Array> | undefined;
  #closed = false;

  /**
   * @param descriptor the write end of a pipe; it is closed here
   * @param input what to write; then the pipe is closed
   * @param onFailure called when the iterable throws or gives something that can't be written
   */
  constructor(descriptor: number, input: Input | undefined, onFailure: (error: unknown) => void) {
    if (input === undefined || (typeof input !== 'object' && input === '')) {
      // Not fs.closeSync: in a worker, Node warns of a descriptor that it has not opened itself.
      native().addon.closeDescriptor(descriptor);
      return;
    }
    // EPIPE: the program reads no further, which is its own affair.
    try {
      this.#socket = pipeSocket(descriptor, 'writable');
    } catch (error) {
      this.#closed = true;
      onFailure(error);
      return;
    }
    this.#socket.once('close', () => {
      this.#closed = true;
    });
    if (typeof input === 'string' || input instanceof Uint8Array) {
      this.#socket.end(input);
    } else {
      this.#pump(this.#socket, input).catch(onFailure);
    }
  }

  async #pump(socket: Socket, input: AsyncIterable<string | Uint8Array>): Promise<void> {
    const iterator = input[Symbol.asyncIterator]();
    this.#iterator = iterator;
    for (;;) {
      const item = await iterator.next();
      if (this.#closed || item.done === true) {
        break;
      }
      if (typeof item.value !== 'string' && !(item.value instanceof Uint8Array)) {
        throw new InvalidArgumentError(
          'options.stdin',
          `must give strings or Uint8Arrays, not ${describe(item.value)}`,
        );
      }
      if (!socket.write(item.value)) {
        await new Promise<void>((resolve) => {
          const go = (): void => {
            socket.off('drain', go);
            socket.off('close', go);
            resolve();
          };
          socket.on('drain', go);
          socket.on('close', go);
        });
      }
    }
    this.#iterator = undefined;
    socket.end();
  }

  /** Ends it: the program is dead. An iterable is told by `return()`, and not waited for. */
  destroy(): void {
    this.#closed = true;
    this.#socket?.destroy();
    const iterator = this.#iterator;
    if (iterator !== undefined) {
      // The caller's own: it may throw, and what it gives need be no promise.
      (async () => iterator.return?.())().catch(() => undefined);
    }
  }
}
