// Answers what one program asks: runs the server's functions for it, within bounds.
import { GLOBALS_BOUNDS, textOf } from '../exec/answer';
import { jsonOf } from '../exec/conclusion';
import { parseJsonInSlices } from '../json/parse';
import { stringifyJson } from '../json/stringify';
import { sizeOf, withLength, type JsonText } from '../json/text-buffers';
import { isJsonObject, type JsonValue } from '../json/value';
import type { Conversation, WriteAnswer } from '../run/conversation';
import { CallFrames, type CallFrame } from './call-frames';
import type { HostCall, StandardSchema } from './host-function';

/** A function as a call's options give it, checked. */
export interface CheckedFunction {
  name: string;
  run: (this: HostCall, ...args: unknown[]) => unknown;
  /** Whether `run` is given the arguments one by one. */
  isPlain: boolean;
  names: readonly string[] | undefined;
  parameters: StandardSchema | undefined;
  maxCalls: number;
  timeoutMs: number | undefined;
}

/** As `functions.py` has it: a program that has more on their way goes its own way. */
const MOST_AT_A_TIME = 16;
/** More are no call of a function that somebody wrote, and would overflow the engine's stack. */
const MOST_ARGUMENTS = 1000;
const LONGEST_MESSAGE = 16 * 1024;
const MOST_ISSUES = 10;

/** What the program is told. */
class Refused extends Error {}

function messageOf(error: unknown): string {
  try {
    const message = error instanceof Error ? error.message : String(error);
    return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  } catch {
    return 'the function failed';
  }
}

async function checked(schema: StandardSchema, value: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) {
    return result.value;
  }
  const told = result.issues.slice(0, MOST_ISSUES).map(({ message, path = [] }) => {
    const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return at === '' ? message : `${at}: ${message}`;
  });
  throw new Refused(told.length === 0 ? 'the arguments are refused' : told.join('; '));
}

interface Arguments {
  args: JsonValue[];
  kwargs: Record<string, JsonValue>;
}

async function readArguments(body: Buffer): Promise<Arguments> {
  // The channel is in the hands of hostile code.
  const { value } = await parseJsonInSlices(textOf(body), GLOBALS_BOUNDS);
  const call = isJsonObject(value) && Object.hasOwn(value, 'call') ? value['call'] : undefined;
  const [args, kwargs, ...more] = Array.isArray(call) ? call : [];
  if (!Array.isArray(args) || kwargs === undefined || !isJsonObject(kwargs) || more.length > 0) {
    throw new Refused('what was sent is no call');
  }
  return { args, kwargs };
}

/** The arguments as one value. */
function together({ args, kwargs }: Arguments, { name, names }: CheckedFunction): unknown {
  const isByName = Object.keys(kwargs).length > 0;
  if (args.length > 0 && (isByName || names !== undefined)) {
    throw new Refused(`${name}() takes its arguments by place or by name, not both`);
  }
  return isByName || names !== undefined ? kwargs : args;
}

async function answerText(value: unknown, name: string): Promise<JsonText> {
  const text = await jsonOf({ value: value === undefined ? null : value });
  // What JSON can't carry is left out.
  if ((typeof text === 'string' ? text.length : sizeOf(text)) === '{}'.length) {
    throw new Refused(`${name}() gave what JSON can't carry`);
  }
  return text;
}

/** What is under way of one call. */
class Service {
  // Most functions never ask for it, and to make one takes as long as all else.
  #controller: AbortController | undefined;
  #ended: Error | undefined;
  #timer: NodeJS.Timeout | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) {
        this.#controller.abort(this.#ended);
      }
    }
    return this.#controller.signal;
  }

  /** @throws why it is over, where it is */
  throwIfEnded(): void {
    if (this.#ended !== undefined) {
      throw this.#ended;
    }
  }

  end(reason: Error): void {
    clearTimeout(this.#timer);
    this.#ended ??= reason;
    this.#controller?.abort(reason);
  }

  /** Gives what the work gives, or fails when it takes too long; the work is told. */
  async within<T>(timeoutMs: number | undefined, name: string, work: () => Promise<T>): Promise<T> {
    if (timeoutMs === undefined) {
      return work();
    }
    const late = new Promise<never>((_, reject) => {
      this.#timer = setTimeout(() => {
        const error = new Refused(`${name}() took longer than ${timeoutMs / 1000} s`);
        reject(error);
        this.end(error);
      }, timeoutMs);
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

/** The functions of one call. */
export class HostCalls implements Conversation {
  readonly #functions: readonly CheckedFunction[];
  readonly #slug: string | undefined;
  readonly #frames = new CallFrames();
  readonly #running = new Map<number, Service>();
  /** Those whose function has yet to answer. */
  #unanswered = 0;
  // A program may have read an answer before this process is told that all of it is written.
  readonly #early: CallFrame[] = [];
  readonly #counts: number[];
  #write: WriteAnswer = () => undefined;
  #isOver = false;

  constructor(functions: readonly CheckedFunction[], slug: string | undefined) {
    this.#functions = functions;
    this.#slug = slug;
    this.#counts = functions.map(() => 0);
  }

  begin(write: WriteAnswer): void {
    this.#write = write;
  }

  take(chunk: Buffer): Buffer {
    return this.#frames.take(chunk, (call) => this.#take(call));
  }

  end(): void {
    this.#isOver = true;
    for (const service of this.#running.values()) {
      service.end(new Error('the program has ended'));
    }
    this.#running.clear();
    this.#early.length = 0;
  }

  #take(call: CallFrame): boolean {
    const isKnown = this.#running.has(call.id) || this.#early.some(({ id }) => id === call.id);
    if (isKnown || this.#isOver || this.#functions[call.index] === undefined) {
      return false;
    }
    if (this.#running.size < MOST_AT_A_TIME) {
      this.#serve(call);
      return true;
    }
    return this.#unanswered + this.#early.length < MOST_AT_A_TIME && this.#early.push(call) > 0;
  }

  #serve(call: CallFrame): void {
    const asked = this.#functions[call.index];
    if (asked === undefined) {
      return;
    }
    const service = new Service();
    this.#running.set(call.id, service);
    this.#unanswered += 1;
    void this.#answer(call, asked, service).then(([kind, text]) => {
      this.#unanswered -= 1;
      this.#send(call.id, kind, text);
    });
  }

  /** Never rejects: whatever happens is an answer. */
  async #answer(
    call: CallFrame,
    asked: CheckedFunction,
    service: Service,
  ): Promise<['V' | 'E', JsonText]> {
    const { name, timeoutMs, maxCalls } = asked;
    try {
      const count = (this.#counts[call.index] ?? 0) + 1;
      this.#counts[call.index] = count;
      if (count > maxCalls) {
        throw new Refused(`${name}() may be called ${maxCalls} times`);
      }
      const given = await readArguments(call.body);
      const value = await service.within(timeoutMs, name, async () =>
        this.#run(asked, given, service),
      );
      return ['V', await answerText(value, name)];
    } catch (error) {
      return ['E', stringifyJson({ message: messageOf(error) })];
    }
  }

  async #run(asked: CheckedFunction, given: Arguments, service: Service): Promise<unknown> {
    const { args, kwargs } = given;
    const call: HostCall = {
      ...{ name: asked.name, slug: this.#slug, args, kwargs },
      get signal() {
        return service.signal;
      },
    };
    if (!asked.isPlain) {
      const value = together(given, asked);
      const parameters =
        asked.parameters === undefined ? value : await checked(asked.parameters, value);
      // Checking may take its time.
      service.throwIfEnded();
      return asked.run.call(call, parameters, call);
    }
    if (args.length > MOST_ARGUMENTS) {
      throw new Refused(`${asked.name}() takes at most ${MOST_ARGUMENTS} arguments`);
    }
    return asked.run.call(call, ...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : []));
  }

  #send(id: number, kind: 'V' | 'E', text: JsonText): void {
    if (this.#isOver) {
      return;
    }
    // Its place is taken until the program reads: what it never reads can't pile up here.
    this.#write(withLength(text, `${id} ${kind} `), () => {
      this.#running.get(id)?.end(new Error('it is answered'));
      this.#running.delete(id);
      const next = this.#early.shift();
      if (next !== undefined) {
        this.#serve(next);
      }
    });
  }
}
