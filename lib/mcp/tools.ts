// The tools: what clients are told of each, and what it does.
import { JailError, SessionLostError, type Jail, type SessionOptions } from '../index';
import { fileContent, lossText, stepAnswer, textOf, type Answer } from './content';
import { KeptSession } from './kept-session';

/** What the tools work on. */
export interface ToolsOptions {
  jail: Jail;
  /** How the session is opened. */
  session: SessionOptions;
  /** The most characters of each text of an answer. */
  mostText: number;
}

/** A tool, as clients are told of it. */
export interface ToolDescription {
  [more: string]: unknown;
  name: string;
  description: string;
  inputSchema: {
    [more: string]: unknown;
    type: 'object';
    properties: Record<string, { type: 'string'; description: string }>;
    required: string[];
  };
  annotations: Record<
    'readOnlyHint' | 'destructiveHint' | 'idempotentHint' | 'openWorldHint',
    boolean
  >;
}

/** Directory of a session that its code may write into, as the code names it. */
const TMP = 'tmp/';

function describe(
  name: string,
  description: string,
  properties: Record<string, string>,
  hints: { isReading: boolean; isEnding: boolean },
): ToolDescription {
  return {
    name,
    description,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, text]) => [
          key,
          { type: 'string', description: text },
        ]),
      ),
      required: Object.keys(properties),
      additionalProperties: false,
    },
    annotations: {
      readOnlyHint: hints.isReading,
      destructiveHint: hints.isEnding,
      idempotentHint: hints.isReading || hints.isEnding,
      // Nothing that runs here reaches anything outside.
      openWorldHint: false,
    },
  };
}

const DESCRIPTIONS: readonly ToolDescription[] = [
  describe(
    'run_python',
    'Runs Python code in a sandbox that keeps its variables from call to call, as a notebook does. Gives what was printed, the ' +
      'value of a last expression, the exception if one was raised, and images: of figures of matplotlib that are open, of ' +
      'values that have one. There is no network. Files can be written in the directory tmp, and no program can be started. ' +
      'Code that takes too much time or memory is stopped, and the variables are then as they were before it.',
    { code: 'The Python code.' },
    { isReading: false, isEnding: false },
  ),
  describe(
    'reset',
    'Forgets all variables and files of the sandbox: the next code begins anew.',
    {},
    { isReading: false, isEnding: true },
  ),
  describe(
    'list_files',
    'Lists the files that code has written in the directory tmp, as a JSON array of their paths.',
    {},
    { isReading: true, isEnding: false },
  ),
  describe(
    'read_file',
    'Gives a file that code has written: as text, or as an image.',
    { path: 'Its path, as list_files gives it: tmp/plot.png' },
    { isReading: true, isEnding: false },
  ),
];

/** What was asked for is not there, or not as it has to be. In words for the model. */
class Refused extends Error {}

/** The tools of one connection. */
export class Tools {
  readonly #kept: KeptSession;
  readonly #mostText: number;

  constructor({ jail, session, mostText }: ToolsOptions) {
    this.#kept = new KeptSession(async () => jail.openSession(session));
    this.#mostText = mostText;
  }

  /** All of them. */
  get descriptions(): ToolDescription[] {
    return [...DESCRIPTIONS];
  }

  /**
   * Does what a tool is for.
   * @param given its arguments, as they came
   * @throws the signal's reason; what is a bug
   */
  async call(name: string, given: unknown, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#answer(name, argumentsOf(name, given), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SessionLostError) {
        return failure(`${lossText(error)} The next code begins anew.`);
      }
      if (error instanceof Refused || error instanceof JailError) {
        return failure(error.message);
      }
      throw error;
    }
  }

  /** Ends the session, where there is one. */
  async close(): Promise<void> {
    await this.#kept.reset();
  }

  async #answer(name: string, given: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    switch (name) {
      case 'run_python': {
        const { given: result, lost } = await this.#kept.use(async (session) =>
          session.run(given['code'] ?? '', { signal }),
        );
        return stepAnswer(result, this.#mostText, lost);
      }
      case 'reset':
        await this.#kept.reset();
        return { content: [{ type: 'text', text: 'All variables and files are gone.' }] };
      case 'list_files': {
        const used = await this.#kept.use(async (session) => session.files.list());
        const paths = JSON.stringify(used.given.map((path) => `${TMP}${path}`));
        return this.#withLoss(textOf(paths, Infinity), used.lost);
      }
      default: {
        const path = given['path'] ?? '';
        const below = path.startsWith(TMP) ? path.slice(TMP.length) : path;
        const used = await this.#kept.use(async (session) => session.files.read(below));
        if (used.given === null) {
          const why = used.lost === undefined ? '' : `${lossText(used.lost)} `;
          throw new Refused(`${why}There is no file ${JSON.stringify(path)}: see list_files`);
        }
        return this.#withLoss(fileContent(path, used.given, this.#mostText), used.lost);
      }
    }
  }

  #withLoss(content: Answer['content'][number], lost: SessionLostError | undefined): Answer {
    return {
      content: [...(lost === undefined ? [] : [textOf(lossText(lost), this.#mostText)]), content],
    };
  }
}

function failure(text: string): Answer {
  return { content: [{ type: 'text', text: text.toWellFormed() }], isError: true };
}

/** The arguments of a tool, checked: all are texts, and all are needed. */
function argumentsOf(name: string, given: unknown): Record<string, string> {
  const tool = DESCRIPTIONS.find((description) => description.name === name);
  if (tool === undefined) {
    const names = DESCRIPTIONS.map((description) => description.name).join(', ');
    throw new Refused(`There is no tool ${JSON.stringify(name)}. There are: ${names}`);
  }
  const values = new Map(Object.entries(given ?? {}));
  const { properties } = tool.inputSchema;
  const unknown = [...values.keys()].find((key) => !Object.hasOwn(properties, key));
  if (unknown !== undefined) {
    throw new Refused(`${name} has no argument ${JSON.stringify(unknown)}`);
  }
  return Object.fromEntries(
    Object.keys(properties).map((key) => {
      const value: unknown = values.get(key);
      if (typeof value !== 'string') {
        throw new Refused(`${name} needs the argument ${key}, a text`);
      }
      return [key, value];
    }),
  );
}
