// What a program prints, line by line, for `for await`.
import { outputLines, type JailResult } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();
beforeEach(async () => suite.ready());

async function allOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) {
    all.push(line);
  }
  return all;
}

const ENDLESS = 'import itertools\nfor i in itertools.count(): print(i)';

describe('the lines of a call', () => {
  it('come one by one, the last one without its end too, and the result with them', async () => {
    const lines = outputLines(async (listener) =>
      suite.python('print("one\\ntwo\\r"); print(); print("\\u4e2d", end="")', listener),
    );
    expect(await allOf(lines)).toEqual(['one', 'two', '', '\u4e2d']);
    const result: JailResult = await lines.result;
    expect(result.outcome).toBe('exited');
  });

  it('come while the program runs', async () => {
    let answer: () => void = () => undefined;
    async function* stdin(): AsyncGenerator<string> {
      for (let index = 0; index < 3; index++) {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        yield `${index}\n`;
      }
    }
    const code = 'print("ready")\nfor _ in range(3): print("heard", input())';
    const lines = outputLines(async (listener) =>
      suite.python(code, { ...listener, stdin: stdin() }),
    );
    const all: string[] = [];
    for await (const line of lines) {
      all.push(line);
      // The program waits for it: were a line held back, nothing would go on.
      answer();
    }
    expect(all).toEqual(['ready', 'heard 0', 'heard 1', 'heard 2']);
  });

  it('are those of standard error where they are asked for', async () => {
    const code = 'import sys; print("out"); print("err", file=sys.stderr)';
    const lines = outputLines(async (listener) => suite.python(code, listener), {
      stream: 'stderr',
    });
    expect(await allOf(lines)).toEqual(['err']);
    expect((await lines.result).stdout.toString()).toBe('out\n');
  });

  it('come of a safeExec, and of what it printed before it failed; the loop then throws its error', async () => {
    const globals: Record<string, unknown> = {};
    const good = outputLines(async (listener) =>
      suite.jail.safeExec('print("in"); a = 1', globals, listener),
    );
    expect([await allOf(good), globals['a']]).toEqual([['in'], 1]);

    const bad = outputLines(async (listener) =>
      suite.jail.safeExec('print("before"); 1/0', globals, listener),
    );
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const line of bad) seen.push(line);
    };
    await expect(loop()).rejects.toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
    expect(seen).toEqual(['before']);
    await expect(bad.result).rejects.toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
  });

  it('all come to a loop that is slower than the program, and let the event loop go on', async () => {
    const lines = outputLines(async (listener) =>
      suite.python('for i in range(100_000): print(i)', listener),
    );
    await lines.result;
    let turns = 0;
    const clock = setInterval(() => {
      turns++;
    }, 1);
    const all = await allOf(lines);
    clearInterval(clock);
    expect([all.length, all.at(-1)]).toEqual([100_000, '99999']);
    expect(turns).toBeGreaterThan(1);
  });

  it('end with the program where the loop is left, and nothing of it stays', async () => {
    const lines = outputLines(async (listener) => suite.python(ENDLESS, listener));
    for await (const line of lines) {
      if (line === '10') break;
    }
    await expect(lines.result).rejects.toThrow('the loop over its lines was left');
    expect(suite.jail.stats().running).toBe(0);
  });

  it('end with the program where the loop throws', async () => {
    const lines = outputLines(async (listener) => suite.python(ENDLESS, listener));
    const loop = async (): Promise<void> => {
      for await (const line of lines) throw new Error(`seen ${line}`);
    };
    await expect(loop()).rejects.toThrow('seen 0');
    await expect(lines.result).rejects.toThrow('the loop over its lines was left');
  });

  it('end where a signal aborts, before or meanwhile, with its reason', async () => {
    const reason = new Error('not any more');
    const early = outputLines(async (listener) => suite.python('print(1)', listener), {
      signal: AbortSignal.abort(reason),
    });
    await expect(allOf(early)).rejects.toBe(reason);

    const controller = new AbortController();
    const lines = outputLines(async (listener) => suite.python(ENDLESS, listener), {
      signal: controller.signal,
    });
    const loop = async (): Promise<void> => {
      for await (const line of lines) {
        if (line === '10') controller.abort(reason);
      }
    };
    await expect(loop()).rejects.toBe(reason);
  });

  it('are refused a call that is none, and options that are none', () => {
    const call = async (): Promise<number> => 1;
    expect(() => outputLines('python' as never)).toThrow(/^start must be a function/);
    expect(() => outputLines(call, { stream: 'both' as never })).toThrow(
      /^options\.stream must be/,
    );
    expect(() => outputLines(call, { signal: {} as never })).toThrow(/^options\.signal must be/);
    expect(() => outputLines(call, { of: 1 } as never)).toThrow(/^options\.of is not an option/);
  });
});
