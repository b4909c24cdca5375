// One line that says how far the work is, on a terminal; nothing at all elsewhere.
import pico from 'picocolors';

const WIDTH = 24;

/** A progress line on a stream. */
export class Progress {
  #stream;
  #total;

  /**
   * @param {import('node:tty').WriteStream} stream
   * @param {number} total the number of steps
   */
  constructor(stream, total) {
    this.#stream = stream;
    this.#total = total;
  }

  /** Shows that `done` steps are done, fractions too, and what is being done now. */
  show(done, title) {
    if (this.#stream.isTTY) {
      const filled = Math.round((done / this.#total) * WIDTH);
      const bar = pico.green('━'.repeat(filled)) + pico.dim('─'.repeat(WIDTH - filled));
      const count = `${Math.floor(done)}/${this.#total}`;
      this.#stream.write(`\r\x1b[2K${bar} ${count}  ${title}`);
    }
  }

  /** Takes the line away. */
  clear() {
    if (this.#stream.isTTY) {
      this.#stream.write('\r\x1b[2K');
    }
  }
}
