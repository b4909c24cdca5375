// What a program prints, line by line, for `for await`.
import { InvalidArgumentError } from '../errors';
import { optional, optionsParser, Refusal } from '../options/argument';
import { readSignal } from '../options/call';
import { describe } from '../text/describe';
import { Budget } from '../time/budget';

/** What a call is given so that its lines come: the options of `jailCode` and `safeExec` that are not the caller's. */
export interface LineListener {
  /** Takes each line of standard output, where those are wanted. */
  onStdoutLine?: ((line: string) => void) | undefined;
  /** Takes each line of standard error, where those are wanted. */
  onStderrLine?: ((line: string) => void) | undefined;
  /** Aborts when the loop over the lines ends before the call does. */
  signal: AbortSignal;
}

/** How lines are read. */
export interface OutputLinesOptions {
  /** Whose lines: `'stdout'` or `'stderr'`. Default `'stdout'`. */
  stream?: 'stdout' | 'stderr' | undefined;
  /** Aborting ends the call. */
  signal?: AbortSignal | undefined;
}

/** The lines of one call, as they come; to be read once. */
export interface OutputLines<Result> extends AsyncIterable<string> {
  /** What the call gives. It rejects as the call does, and as the loop then does. */
  readonly result: Promise<Result>;
  /** The loop, the same one each time. */
  [Symbol.asyncIterator](): AsyncGenerator<string, void, void>;
}

function readStream(value: unknown): 'stdout' | 'stderr' {
  if (value !== 'stdout' && value !== 'stderr') {
    throw new Refusal(`must be 'stdout' or 'stderr', not ${describe(value)}`);
  }
  return value;
}

const parseOptions = optionsParser({
  stream: optional(readStream),
  signal: optional(readSignal),
});

/** Lines that have come and that nobody has taken yet. */
class Waiting {
  #lines: string[] = [];
  #wake: () => void = () => undefined;

  readonly push = (line: string): void => {
    this.#lines.push(line);
    this.#wake();
  };

  wake(): void {
    this.#wake();
  }

  take(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Waits until more has come, or `wake` was called. */
  async more(): Promise<void> {
    if (this.#lines.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function* read<Result>(
  result: Promise<Result>,
  waiting: Waiting,
  end: () => void,
): AsyncGenerator<string, void, void> {
  const call = { hasEnded: false };
  const onEnd = (): void => {
    call.hasEnded = true;
    waiting.wake();
  };
  const ended = result.then(onEnd, onEnd);
  // Else a loop over a million lines that are there would be one turn of the event loop.
  const budget = new Budget();
  try {
    for (;;) {
      const isLast = call.hasEnded;
      for (const line of waiting.take()) {
        yield line;
        if (budget.isSpent()) {
          await budget.nextTurn();
        }
      }
      if (isLast) {
        break;
      }
      if (!call.hasEnded) {
        await waiting.more();
      }
    }
    await result;
  } finally {
    end();
    await ended;
  }
}

/**
 * The lines that a program prints, as they come, without their ends (as `onStdoutLine`). The loop ends when the call has
 * ended, and throws what the call throws; leaving it earlier, by `break` or an error, ends the program, and waits until
 * nothing of it is left. Where it is slower than the program, lines wait: no more than the limit `output` lets come.
 * @param start makes the call, with what it is given among its options
 * @throws InvalidArgumentError; what `start` throws
 * @example
 * import { jailCode, outputLines } from 'codejail';
 *
 * const code = 'for i in range(3): print("line", i)';
 * const lines = outputLines((listener) => jailCode('python', { code, ...listener }));
 * for await (const line of lines) {
 *   console.log(line); // line 0
 * }
 * const { outcome } = await lines.result;
 * console.log(outcome); // exited
 */
export function outputLines<Result>(
  start: (listener: LineListener) => Promise<Result>,
  options: OutputLinesOptions = {},
): OutputLines<Result> {
  if (typeof start !== 'function') {
    throw new InvalidArgumentError(
      'start',
      `must be a function that makes the call, not ${describe(start)}`,
    );
  }
  const { stream = 'stdout', signal } = parseOptions(options, 'options');
  const ending = new AbortController();
  // Not AbortSignal.any: its result would be held as long as the longest-lived of them.
  const onAbort = (): void => {
    ending.abort(signal?.reason);
  };
  if (signal?.aborted === true) {
    onAbort();
  }
  signal?.addEventListener('abort', onAbort, { once: true });
  const waiting = new Waiting();
  const result = start({
    [stream === 'stdout' ? 'onStdoutLine' : 'onStderrLine']: waiting.push,
    signal: ending.signal,
  }).finally(() => {
    signal?.removeEventListener('abort', onAbort);
  });
  const lines = read(result, waiting, () => {
    ending.abort(new Error('the loop over its lines was left'));
  });
  return { result, [Symbol.asyncIterator]: () => lines };
}
