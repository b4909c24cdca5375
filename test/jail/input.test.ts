// Standard input: what is written at once, and what is written while the program runs.
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const ECHO = 'import sys\nfor line in sys.stdin: print("got", line.strip(), flush=True)';

async function* lines(...texts: string[]): AsyncGenerator<string> {
  for (const text of texts) {
    yield await Promise.resolve(text);
  }
}

/** What a program says, line by line, for somebody who waits for it. */
class Conversation {
  #heard = '';
  #wake: () => void = () => undefined;

  readonly hear = (chunk: Buffer): void => {
    this.#heard += chunk.toString();
    this.#wake();
  };

  async line(): Promise<string> {
    for (;;) {
      const end = this.#heard.indexOf('\n');
      if (end !== -1) {
        const line = this.#heard.slice(0, end);
        this.#heard = this.#heard.slice(end + 1);
        return line;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

describe('standard input', () => {
  it('supports bytes that are no text', async () => {
    const code = 'import sys; print(sys.stdin.buffer.read())';
    const stdin = Buffer.from([0, 255, 10, 13, 128]);
    expect(await suite.printed(code, { stdin })).toBe("b'\\x00\\xff\\n\\r\\x80'\n");
  });

  it.each(['', Buffer.alloc(0)])('is at its end at once where it is empty', async (stdin) => {
    expect(await suite.printed('print(repr(open(0).read()))', { stdin })).toBe("''\n");
  });

  it('is a pipe, not a socket: bash would read its start-up files', async () => {
    const code = 'import os, stat; print([stat.S_ISFIFO(os.fstat(n).st_mode) for n in range(3)])';
    expect(await suite.printed(code, { stdin: 'x' })).toBe('[True, True, True]\n');
  });

  it('allows a program not to read it, however much there is', async () => {
    expect(await suite.printed('print("done")', { stdin: Buffer.alloc(5_000_000) })).toBe('done\n');
  });

  it('supports an async iterable of strings and bytes', async () => {
    async function* both(): AsyncGenerator<string | Uint8Array> {
      yield* lines('one\n', 'two\n');
      yield Buffer.from('three\n');
    }
    expect(await suite.printed(ECHO, { stdin: both() })).toBe('got one\ngot two\ngot three\n');
  });

  it('supports a stream of Node', async () => {
    const { Readable } = await import('node:stream');
    const stdin = Readable.from([Buffer.from('from a '), Buffer.from('stream\n')]);
    expect(await suite.printed(ECHO, { stdin })).toBe('got from a stream\n');
  });

  it('waits for a slow program rather than gather what it has not read', async () => {
    let given = 0;
    async function* large(): AsyncGenerator<Uint8Array> {
      for (; given < 400; given += 1) {
        yield await Promise.resolve(Buffer.alloc(65_536));
      }
    }
    let givenAtFirst = -1;
    const code = [
      'import sys, time',
      'time.sleep(0.5); print("reading", flush=True); time.sleep(0.5)',
      'print(len(sys.stdin.buffer.read()))',
    ].join('\n');
    const shown = await suite.printed(code, {
      stdin: large(),
      onStdout: () => {
        if (givenAtFirst < 0) givenAtFirst = given;
      },
    });
    expect(shown).toBe(`reading\n${400 * 65_536}\n`);
    expect(givenAtFirst).toBeLessThan(50);
  });

  it('supports a grader that talks with the program', async () => {
    const guesser = [
      'low, high = 1, 1000',
      'while True:',
      '    guess = (low + high) // 2',
      '    print(guess, flush=True)',
      '    answer = input()',
      '    if answer == "right": break',
      '    if answer == "higher": low = guess + 1',
      '    else: high = guess - 1',
    ].join('\n');
    const secret = 737;
    const guesses: number[] = [];
    const program = new Conversation();
    async function* grader(): AsyncGenerator<string> {
      for (;;) {
        const guess = Number(await program.line());
        guesses.push(guess);
        if (guess === secret) {
          yield 'right\n';
          return;
        }
        yield guess < secret ? 'higher\n' : 'lower\n';
      }
    }
    const { status, stderr, stdout } = await suite.python(guesser, {
      stdin: grader(),
      onStdout: program.hear,
    });
    expect([status, stderr.toString()]).toEqual([0, '']);
    expect(guesses.at(-1)).toBe(secret);
    expect(guesses.length).toBeGreaterThan(3);
    expect(stdout.toString()).toBe(`${guesses.join('\n')}\n`);
  });

  it('tells an iterable that waits for ever that the program has ended', async () => {
    let returned = false;
    const stdin: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => new Promise<never>(() => undefined),
        return: async () => {
          returned = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    expect(await suite.printed('print("I do not care")', { stdin })).toBe('I do not care\n');
    expect(returned).toBe(true);
  });

  it.each<[what: string, leave: () => unknown]>([
    ['a plain object', () => ({ done: true, value: undefined })],
    ['nothing', () => undefined],
    [
      'an error that it throws',
      () => {
        throw new RangeError('nobody may leave');
      },
    ],
    ['a promise that rejects', async () => Promise.reject(new RangeError('nobody may leave'))],
  ])('does not mind an iterable whose `return` gives %s', async (_what, leave) => {
    const returns = jest.fn(leave);
    const stdin = {
      [Symbol.asyncIterator]: () => ({
        next: async () => new Promise<never>(() => undefined),
        return: returns,
      }),
    } as AsyncIterable<string>;
    expect(await suite.printed('print("I do not care")', { stdin })).toBe('I do not care\n');
    expect(returns).toHaveBeenCalledTimes(1);
  });

  it('ends a program that waits for an iterable that never gives anything', async () => {
    const silent: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({ next: async () => new Promise<never>(() => undefined) }),
    };
    const { outcome } = await suite.python(ECHO, { stdin: silent, limits: { realtime: 0.5 } });
    expect(outcome).toBe('time-limit');
  });

  it('rejects with what the iterable throws, and ends the program', async () => {
    async function* failing(): AsyncGenerator<string> {
      yield* lines('one\n');
      throw new RangeError('the grader is broken');
    }
    await expect(suite.python(ECHO, { stdin: failing() })).rejects.toThrow(
      new RangeError('the grader is broken'),
    );
  });

  it('rejects an iterable that gives what can not be written', async () => {
    async function* numbers(): AsyncGenerator<string> {
      yield await Promise.resolve(7 as unknown as string);
    }
    await expect(suite.python(ECHO, { stdin: numbers() })).rejects.toThrow(
      'options.stdin must give strings or Uint8Arrays',
    );
  });
});
