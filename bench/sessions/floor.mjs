// What stands beside a session: an unconfined Python, and a Jupyter kernel where one is installed.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A process that answers a line for a line. */
class Lines {
  #child;
  #waiting = [];
  #failure;

  constructor(command, args) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line));
    });
    const fail = (why) => {
      this.#failure ??= new Error(`${args.join(' ')}: ${why}`);
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    };
    this.#child.once('error', (error) => fail(error.message));
    // A step's process takes the place of the one that was started: the output's end is the end.
    this.#child.stdout.once('end', () => fail('it has ended'));
    this.#child.stdin.on('error', () => undefined);
  }

  next() {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  ask(request) {
    const answer = this.next();
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return answer;
  }

  stop() {
    this.#child.stdin.end();
  }
}

async function started(command, args) {
  const lines = new Lines(command, args);
  await lines.next();
  return {
    run: async (code) => (await lines.ask({ code })).value,
    stop: () => lines.stop(),
  };
}

/** An unconfined Python, as `python.py` says. */
export function floor(python, mode) {
  return started(python, ['-E', '-B', file('python.py'), mode]);
}

/**
 * A kernel of Jupyter's, by its own client.
 * @returns why there is none, where that is so
 */
export async function kernel() {
  const found = ['/usr/bin/python3', 'python3'];
  for (const python of found) {
    try {
      return await started(python, [file('kernel.py')]);
    } catch {
      // Not this one, then.
    }
  }
  return 'ipykernel is not installed (apt-get install python3-ipykernel)';
}
