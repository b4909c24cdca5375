// A web server whose callers all want a program run: what it answers others meanwhile.
import { once } from 'node:events';
import http from 'node:http';
import { createJail } from 'codejail';

const CODE = 'b = sum(range(20000))';
const SUM = 199_990_000;
const PING_EVERY_MS = 20;
// What is measured is not a limit.
const LIMITS = { cpu: 20, realtime: 300 };

/** Asks the server for a word, over and over, as its other clients would. */
class Pinger {
  #agent = new http.Agent({ keepAlive: true });
  #server = http.createServer((_request, response) => response.end('pong'));
  #timer;
  #pending = [];
  /** @type {number[]} how long each answer took */
  milliseconds = [];

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#timer = setInterval(() => this.#pending.push(this.#ping()), PING_EVERY_MS);
  }

  async #ping() {
    const start = performance.now();
    const { port } = this.#server.address();
    const request = http.get({ host: '127.0.0.1', port, agent: this.#agent });
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    this.milliseconds.push(performance.now() - start);
  }

  async stop() {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#agent.destroy();
    this.#server.close();
  }
}

async function jailOf(python, way) {
  const jail = createJail({
    commands: { python: way === 'warm' ? { bin: python, warm: {} } : python },
    limits: LIMITS,
  });
  if (way === 'warm') {
    await jail.warmUp('python');
  } else {
    await jail.safeExec(CODE, {});
  }
  return jail;
}

/**
 * @param {'cold' | 'warm'} way
 * @returns {Promise<{ perSecond: number, pings: number[] }>}
 * @throws Error where a call's result is wrong
 */
export async function serve(python, way, callers, seconds) {
  const jail = await jailOf(python, way);
  const pinger = new Pinger();
  let calls = 0;
  try {
    await pinger.start();
    const start = performance.now();
    const end = start + seconds * 1000;
    const caller = async () => {
      while (performance.now() < end) {
        const globals = {};
        await jail.safeExec(CODE, globals);
        if (globals.b !== SUM) {
          throw new Error(`a call gave ${globals.b}`);
        }
        calls += 1;
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const perSecond = (calls / (performance.now() - start)) * 1000;
    await pinger.stop();
    return { perSecond, pings: pinger.milliseconds };
  } finally {
    await jail.close();
  }
}
