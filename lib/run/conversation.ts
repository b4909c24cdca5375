// What a program asks while it runs, and is answered: over the result channel, before the result, and the request pipe.

/** Writes on a program's request pipe, and tells when the kernel has all of it, or never will. */
export type WriteAnswer = (pieces: readonly Uint8Array[], onWritten: () => void) => void;

/** The server's side of it, of one call. */
export interface Conversation {
  /** To be called when answers can be written, before anything comes. */
  begin(write: WriteAnswer): void;
  /**
   * Takes what has come on the result channel.
   * @returns what of it belongs to the result
   */
  take(chunk: Buffer): Buffer;
  /** To be called when the program has ended, or is given up. */
  end(): void;
}
