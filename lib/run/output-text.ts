// What a program prints, as text: decoded as it comes, and cut into lines.
import { StringDecoder } from 'node:string_decoder';

/** Whom a call tells of what comes on one stream: each chunk as bytes, as text, or each line. */
export interface StreamListener {
  onChunk?: ((chunk: Buffer) => void) | undefined;
  onText?: ((text: string) => void) | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/** A call's callbacks, as its options name them. */
export interface OutputCallbacks {
  onStdout?: StreamListener['onChunk'];
  onStderr?: StreamListener['onChunk'];
  onStdoutText?: StreamListener['onText'];
  onStderrText?: StreamListener['onText'];
  onStdoutLine?: StreamListener['onLine'];
  onStderrLine?: StreamListener['onLine'];
}

// The default of the limit `output`: where that is greater, or none, a longer line is told in parts.
const LONGEST_LINE = 16 * 1024 * 1024;

/** Tells a listener of one stream. */
export class TextOutput {
  readonly #listener: StreamListener;
  readonly #decoder = new StringDecoder('utf8');
  #line = '';

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  /** To be called with each chunk. Throws what a callback throws. */
  readonly take = (chunk: Buffer): void => {
    const { onChunk, onText, onLine } = this.#listener;
    // Before the bytes are shown to somebody who may change them.
    const text = onText === undefined && onLine === undefined ? '' : this.#decoder.write(chunk);
    onChunk?.(chunk);
    this.#tell(text);
  };

  /** To be called when no more comes: the last line may have no end, and a last character may be a part of one. */
  end(): void {
    this.#tell(this.#decoder.end());
    const line = this.#line;
    this.#line = '';
    if (line !== '') {
      this.#listener.onLine?.(line);
    }
  }

  #tell(text: string): void {
    if (text === '') {
      return;
    }
    const { onText, onLine } = this.#listener;
    onText?.(text);
    if (onLine !== undefined) {
      this.#tellLines(text, onLine);
    }
  }

  #tellLines(text: string, onLine: (line: string) => void): void {
    let start = 0;
    for (;;) {
      const end = text.indexOf('\n', start);
      if (end < 0) {
        break;
      }
      const line = this.#line + text.slice(start, end);
      this.#line = '';
      start = end + 1;
      onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    this.#line += text.slice(start);
    if (this.#line.length > LONGEST_LINE) {
      const part = this.#line;
      this.#line = '';
      onLine(part);
    }
  }
}

/** Undefined where nobody listens. */
export function textOutput(listener: StreamListener): TextOutput | undefined {
  const { onChunk, onText, onLine } = listener;
  return onChunk === undefined && onText === undefined && onLine === undefined
    ? undefined
    : new TextOutput(listener);
}

/** Whom a call's run tells of what comes on each stream. */
export interface TextOutputs {
  stdout: TextOutput | undefined;
  stderr: TextOutput | undefined;
}

/** Those of a call. */
export function textOutputs(call: OutputCallbacks): TextOutputs {
  return {
    stdout: textOutput({
      onChunk: call.onStdout,
      onText: call.onStdoutText,
      onLine: call.onStdoutLine,
    }),
    stderr: textOutput({
      onChunk: call.onStderr,
      onText: call.onStderrText,
      onLine: call.onStderrLine,
    }),
  };
}
