// What a call has its caller told: what is printed, and what happens. Whatever that throws fails the call, not the process.
import { textOutputs, type OutputCallbacks, type TextOutputs } from './output-text';
import type { Note } from './run-call';

/** Takes a chunk of what is printed. */
export type TakeChunk = (chunk: Buffer) => void;

/** Calls what a caller gave to be called. */
export class Callbacks {
  readonly #onNote: Note | undefined;
  readonly #listeners: TextOutputs;
  readonly #onThrown: (error: unknown) => void;
  /** For what comes on standard output, where the caller listens to it. */
  readonly onStdout: TakeChunk | undefined;
  /** For what comes on standard error, where the caller listens to it. */
  readonly onStderr: TakeChunk | undefined;

  /** @param onThrown told each error that one of them throws */
  constructor(
    call: OutputCallbacks & { onNote?: Note | undefined },
    onThrown: (error: unknown) => void,
  ) {
    this.#onNote = call.onNote;
    this.#listeners = textOutputs(call);
    this.#onThrown = onThrown;
    this.onStdout = this.#guarded(this.#listeners.stdout?.take);
    this.onStderr = this.#guarded(this.#listeners.stderr?.take);
  }

  /** Tells the caller's logger. To be called last, whatever it is about: the logger may throw. */
  readonly note: Note = (level, message) => {
    this.attempt(() => {
      this.#onNote?.(level, message);
    });
  };

  /** To be called when nothing more is printed: tells what was not a whole line. */
  end(): void {
    this.attempt(() => {
      this.#listeners.stdout?.end();
      this.#listeners.stderr?.end();
    });
  }

  /** Does what may call one of them. */
  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onThrown(error);
    }
  }

  #guarded(take: TakeChunk | undefined): TakeChunk | undefined {
    return take === undefined
      ? undefined
      : (chunk) => {
          this.attempt(() => {
            take(chunk);
          });
        };
  }
}
