// What comes on a result channel, and who answers it: whoever writes there is hostile.
import fc from 'fast-check';
import { CallFrames } from '../../lib/functions/call-frames';
import { HostCalls, type CheckedFunction } from '../../lib/functions/host-calls';

function framed(id: number, index: number, body: string): string {
  return `C${id} ${index} ${Buffer.byteLength(body)}\n${body}`;
}

const CALL = '{"call":[[1,"ž"],{}]}';

/** Takes bytes in pieces that end at these places. */
function takeInPieces(
  bytes: Buffer,
  cuts: readonly number[],
  take: (chunk: Buffer) => Buffer,
): string {
  const places = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (one, other) => one - other,
  );
  let start = 0;
  const rest: Buffer[] = [];
  for (const end of places) {
    rest.push(take(bytes.subarray(start, end)));
    start = end;
  }
  return Buffer.concat(rest).toString();
}

describe('the frames of calls', () => {
  it('are told from the result, wherever they are cut', () => {
    const text = `${framed(1, 0, CALL)}${framed(2, 3, '{}')}G{"a":"C1 0 2\\n"}`;
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const frames = new CallFrames();
        const calls: [number, number, string][] = [];
        const rest = takeInPieces(Buffer.from(text), cuts, (chunk) =>
          frames.take(chunk, ({ id, index, body }) => {
            calls.push([id, index, body.toString()]);
            return true;
          }),
        );
        expect(calls).toEqual([
          [1, 0, CALL],
          [2, 3, '{}'],
        ]);
        expect(rest).toBe('G{"a":"C1 0 2\\n"}');
      }),
    );
  });

  it.each([
    ['no numbers', 'C\nG{}'],
    ['a sign', 'C-1 0 2\n{}G{}'],
    ['too long a head', `C${'1'.repeat(60)} 0 2\n{}G{}`],
    ['too long a number', `C1 0 ${'9'.repeat(16)}\n{}G{}`],
    ['another order', 'C1 0\n{}G{}'],
    ['bytes that are no text', 'C\xff\x00 0 2\n{}G{}'],
  ])('are none with %s: all of it is a result, and a bad one', (_, text) => {
    const bytes = Buffer.from(text, 'latin1');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const onCall = jest.fn(() => true);
      const frames = new CallFrames();
      const rest = [bytes.subarray(0, cut), bytes.subarray(cut)].map((chunk) =>
        frames.take(chunk, onCall),
      );
      expect([Buffer.concat(rest).toString('latin1'), onCall.mock.calls]).toEqual([text, []]);
    }
  });

  it('that are refused make a bad result of all that follows', () => {
    const frames = new CallFrames();
    const rest = frames.take(Buffer.from(`${framed(1, 0, CALL)}G{}`), () => false);
    expect(rest.toString()).toBe('CG{}');
    expect(frames.take(Buffer.from(framed(2, 0, CALL)), () => true).toString()).toMatch(/^C2/);
  });

  it('take no memory before what they promise has come', () => {
    const alloc = jest.spyOn(Buffer, 'alloc');
    const frames = new CallFrames();
    expect(frames.take(Buffer.from(`C1 0 ${'9'.repeat(15)}\nabc`), () => true)).toHaveLength(0);
    expect(Math.max(...alloc.mock.calls.map(([size]) => size))).toBeLessThanOrEqual(1024);
    alloc.mockRestore();
  });
});

function plainFunction(
  run: CheckedFunction['run'],
  more: Partial<CheckedFunction> = {},
): CheckedFunction {
  return {
    ...{ name: 'f', run, isPlain: true, names: undefined, parameters: undefined },
    ...{ maxCalls: 1000, timeoutMs: undefined, ...more },
  };
}

interface Played {
  calls: HostCalls;
  answers: string[];
  /** As the kernel does when the program reads. */
  read: () => void;
}

function play(functions: readonly CheckedFunction[]): Played {
  const answers: string[] = [];
  const unread: (() => void)[] = [];
  const calls = new HostCalls(functions, undefined);
  calls.begin((pieces, onWritten) => {
    answers.push(Buffer.concat(pieces).toString());
    unread.push(onWritten);
  });
  const read = (): void => {
    for (const onWritten of unread.splice(0)) {
      onWritten();
    }
  };
  return { calls, answers, read };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate);
  }
};

describe('a server that is asked', () => {
  it('answers by number, in the order in which it knows', async () => {
    let later: (value: string) => void = () => undefined;
    const { calls, answers } = play([
      plainFunction(async () => new Promise((resolve) => (later = resolve))),
      plainFunction(() => [1n << 70n, Number.NaN]),
    ]);
    calls.take(Buffer.from(`${framed(1, 0, CALL)}${framed(2, 1, CALL)}`));
    await settled();
    later('ž');
    await settled();
    expect(answers).toEqual([
      '2 V 38\n{"value":[1180591620717411303424,NaN]}',
      '1 V 14\n{"value":"ž"}',
    ]);
  });

  it.each([
    ['no object', '7'],
    ['no arguments', '{}'],
    ['no list', '{"call":{"0":[],"1":{}}}'],
    ['arguments that are no list', '{"call":[{},{}]}'],
    ['names that are a list', '{"call":[[],[]]}'],
    ['no names', '{"call":[[]]}'],
    ['more than a call', '{"call":[[],{},1]}'],
    ['no JSON', '{"call":['],
    ['no UTF-8', '\xff'],
    ['too deep a list', `{"call":[${'['.repeat(2000)}${']'.repeat(2000)},{}]}`],
    ['too many arguments', `{"call":[[${'1,'.repeat(2000)}1],{}]}`],
  ])('runs nothing for what has %s', async (_, body) => {
    const run = jest.fn();
    const { calls, answers } = play([plainFunction(run)]);
    const text = Buffer.from(body, 'latin1');
    calls.take(Buffer.concat([Buffer.from(`C1 0 ${text.length}\n`), text]));
    await settled();
    expect(run).not.toHaveBeenCalled();
    expect(answers).toEqual([expect.stringMatching(/^1 E \d+\n\{"message":".+"\}$/)]);
  });

  it('takes a call of an unknown function, one of a number that is under way, and a 17th for a bad result', () => {
    const never = plainFunction(async () => new Promise(() => undefined));
    const start = Array.from({ length: 16 }, (_, id) => framed(id, 0, CALL)).join('');
    expect(
      play([never])
        .calls.take(Buffer.from(framed(1, 1, CALL)))
        .toString(),
    ).toBe('C');
    expect(
      play([never])
        .calls.take(Buffer.from(framed(1, 0, CALL).repeat(2)))
        .toString(),
    ).toBe('C');
    const { calls } = play([never]);
    expect(calls.take(Buffer.from(start))).toHaveLength(0);
    expect(calls.take(Buffer.from(framed(16, 0, CALL))).toString()).toBe('C');
    calls.end();
  });

  it('counts an answer that nobody reads to what is under way', async () => {
    const { calls, answers, read } = play([plainFunction(() => 1)]);
    calls.take(Buffer.from(Array.from({ length: 16 }, (_, id) => framed(id, 0, CALL)).join('')));
    await settled();
    expect(answers).toHaveLength(16);
    read();
    expect(calls.take(Buffer.from(framed(16, 0, CALL)))).toHaveLength(0);
    await settled();
    for (let id = 17; id < 32; id += 1) {
      expect(calls.take(Buffer.from(framed(id, 0, CALL)))).toHaveLength(0);
    }
    await settled();
    expect(answers).toHaveLength(32);
    // The program may have read what this server is not yet told to be written: as many more wait, unanswered.
    for (let id = 32; id < 48; id += 1) {
      expect(calls.take(Buffer.from(framed(id, 0, CALL)))).toHaveLength(0);
    }
    await settled();
    expect(answers).toHaveLength(32);
    expect(calls.take(Buffer.from(framed(48, 0, CALL))).toString()).toBe('C');
    read();
    await settled();
    expect(answers).toHaveLength(48);
  });

  it('answers nobody when the program has ended, and tells who works for it', async () => {
    const signals: AbortSignal[] = [];
    let later: () => void = () => undefined;
    const { calls, answers } = play([
      plainFunction(async function (this: { signal: AbortSignal }) {
        signals.push(this.signal);
        return new Promise<void>((resolve) => (later = resolve));
      }),
    ]);
    calls.take(Buffer.from(framed(1, 0, CALL)));
    await settled();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    calls.end();
    later();
    await settled();
    expect([signals.map(({ aborted }) => aborted), answers]).toEqual([[true], []]);
  });

  it('comes through 10,000 hostile frames, and runs nothing that was not asked for with valid arguments', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('C', '\n', ' ', '0', '1', '{}', CALL, 'G{}', 'O[]\n', '{"call":[[],{}]}'),
      fc
        .tuple(fc.nat(40), fc.nat(2), fc.json())
        .map(([id, index, body]) => framed(id, index, body)),
      fc.tuple(fc.nat(40), fc.nat(2)).map(([id, index]) => framed(id, index, CALL)),
    );
    let given = 0;
    const wrong: unknown[] = [];
    const check = (...args: unknown[]): unknown => {
      given += 1;
      if (JSON.stringify(args) !== '[1,"ž"]' && JSON.stringify(args) !== '[]') {
        wrong.push(args);
      }
      return args;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 40 }), async (parts) => {
        const { calls, read } = play([plainFunction(check), plainFunction(check)]);
        for (const text of parts) {
          calls.take(Buffer.from(text));
          if (text.length % 3 === 0) {
            await Promise.resolve();
            read();
          }
        }
        await settled();
        calls.end();
      }),
      { numRuns: 1000 },
    );
    expect(wrong).toEqual([]);
    expect(given).toBeGreaterThan(100);
  });
});
