// The parent's side of a calling process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const callerPath = fileURLToPath(new URL('caller.mjs', import.meta.url));

/** A process that makes calls, with `memory` bytes of touched memory besides its own. */
export class Server {
  #child;
  /** The names of the contenders. */
  contenders;
  /** Resident memory before the first call. */
  residentBytes;

  /**
   * @param {number} memory bytes
   * @returns {Promise<Server>}
   */
  static async start(memory) {
    const server = new Server();
    server.#child = fork(callerPath, [String(memory)]);
    Object.assign(server, await server.#answer());
    return server;
  }

  /**
   * Makes one call.
   * @param {string} contender its name
   * @param {import('./programs.mjs').Program} program
   * @returns {Promise<{ milliseconds: number, setupMs: number | null }>}
   * @throws Error where the program did not run as it should
   */
  async call(contender, program) {
    const answer = this.#answer();
    this.#child.send({ contender, program });
    return answer;
  }

  /** Ends the process. */
  stop() {
    this.#child.disconnect();
  }

  async #answer() {
    const ending = new AbortController();
    const { signal } = ending;
    try {
      const [answer] = await Promise.race([
        once(this.#child, 'message', { signal }),
        once(this.#child, 'exit', { signal }).then(() => {
          throw new Error('the calling process has died');
        }),
      ]);
      if (answer.error !== undefined) {
        throw new Error(answer.error);
      }
      return answer;
    } finally {
      ending.abort();
    }
  }
}
