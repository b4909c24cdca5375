// A Python process that answers lines, and the calls that wait for it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Requests and answers over the pipes of one process. */
export class Pipe {
  #child;
  #waiting = new Map();
  #next = 0;
  #ready;

  /**
   * @param {string} python
   * @param {string[]} args
   */
  constructor(python, args) {
    const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
    this.#child = spawn(python, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.#ready = new Promise((resolve, reject) => {
      this.#waiting.set(-1, { resolve, reject });
    });
    createInterface(this.#child.stdout).on('line', (line) => {
      const { id, globals } = JSON.parse(line);
      this.#waiting.get(id).resolve(globals);
      this.#waiting.delete(id);
    });
    this.#child.once('exit', (status) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`${args[0]} ended with status ${status}`));
      }
    });
  }

  /** Waits until it has imported everything. */
  async ready() {
    await this.#ready;
  }

  /**
   * @param {string} code
   * @param {Record<string, unknown>} globals
   * @returns {Promise<Record<string, unknown>>}
   */
  call(code, globals) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, code, globals })}\n`);
    });
  }

  stop() {
    this.#child.stdin.end();
  }
}
