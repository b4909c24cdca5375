// Python as a tool that a language model calls: what its API is told of it, and what a call gives. For any vendor's API, which
// all take a name, a description and a JSON Schema.
import { JailError, SessionLostError } from 'codejail';

/** What the model is told. */
export const definition = {
  name: 'python',
  description:
    'Runs Python. Variables stay from call to call. Files are in the directory tmp. No network. Give the value to show as ' +
    'the last expression.',
  parameters: {
    type: 'object',
    properties: { code: { type: 'string', description: 'The Python code.' } },
    required: ['code'],
    additionalProperties: false,
  },
};

const LIMITS = { memory: 512 * 1024 * 1024, cpu: 20, realtime: 60, output: 64 * 1024 };

/** The tool of one conversation. */
export class PythonTool {
  #jail;
  #functions;
  #session;
  #files = new Map();

  /**
   * @param {import('codejail').Jail} jail
   * @param {import('codejail').HostFunctions} functions what the code may call of the server's
   */
  constructor(jail, functions = {}) {
    this.#jail = jail;
    this.#functions = functions;
  }

  /** Gives the code a file: `tmp/NAME`. */
  async put(name, content) {
    this.#files.set(name, content);
    if (this.#session?.isOpen) await this.#session.files.write(name, content);
  }

  /**
   * Does a call of the model's.
   * @param {{ code: string }} given the model's arguments
   * @param {{ onText?: (text: string) => void, signal?: AbortSignal }} options `onText` sees what is printed, as it comes
   * @returns {Promise<{ text: string, images: { mime: string, data: Buffer }[], isError: boolean }>}
   */
  async call({ code }, { onText, signal } = {}) {
    if (typeof code !== 'string') return failure('The argument code must be a text.');
    let note = '';
    try {
      if (this.#session !== undefined && !this.#session.isOpen) {
        this.#session = undefined;
        note = 'The variables of earlier calls are gone.\n';
      }
      this.#session ??= await this.#open();
      const result = await this.#session.run(code, {
        ...{ onStdoutText: onText, onStderrText: onText, signal },
      });
      return { ...answerOf(result), text: note + textOf(result) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof SessionLostError) return failure('The variables are gone: begin anew.');
      if (error instanceof JailError) return failure(error.message);
      throw error;
    }
  }

  /** A file that the code has written, or null. */
  async get(name) {
    return this.#session?.isOpen ? this.#session.files.read(name) : null;
  }

  async close() {
    await this.#session?.close();
  }

  async #open() {
    const session = await this.#jail.openSession({ limits: LIMITS, functions: this.#functions });
    for (const [name, content] of this.#files) await session.files.write(name, content);
    return session;
  }
}

const failure = (text) => ({ text, images: [], isError: true });

function answerOf({ status, outcome, exception, display }) {
  return {
    images: display.filter(({ mime }) => mime === 'image/png' || mime === 'image/jpeg'),
    isError: status !== 0 || outcome !== 'exited' || exception !== null,
  };
}

/** What the model reads: output, value, and why something failed. The traceback is in stderr. */
function textOf({ stdout, stderr, value, outcome, hints, state }) {
  return [
    stdout.toString(),
    stderr.toString(),
    value ?? '',
    outcome === 'exited' ? '' : `Stopped: ${outcome}.`,
    ...hints.map(({ message }) => message),
    state === 'advanced' ? '' : 'The variables are as they were before this call.',
  ]
    .map((part) => part.trimEnd())
    .filter((part) => part !== '')
    .join('\n');
}
