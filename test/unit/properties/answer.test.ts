// What holds of a program's answer, whatever bytes come, and however they come.
import fc from 'fast-check';
import { SafeExecError } from '../../../lib/exec/error';
import { parseJson } from '../../../lib/json/parse';
import { stringifyJson } from '../../../lib/json/stringify';
import { AnswerReader, readGlobals, readText } from '../../../lib/exec/answer';
import { expectSame, jsonGlobals } from '../../support/arbitraries';
import { RESULT } from '../../support/result';

jest.setTimeout(120_000);

const answer = jsonGlobals.map((globals) => Buffer.from(`G${stringifyJson(globals)}`));
const exception = fc
  .tuple(fc.object(), fc.constantFrom('E', 'E{"type":"X","message":"m","line":1,"traceback":"t"}'))
  .map(([value, start]) => Buffer.from(`${start}${JSON.stringify(value)}`));
const bytes = fc.oneof(
  answer,
  exception,
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  fc.tuple(answer, fc.uint8Array({ maxLength: 4 })).map((parts) => Buffer.concat(parts)),
);

async function read(
  channel: Buffer,
  foreseen: number | null,
  status: number,
  reader: AnswerReader<unknown> = new AnswerReader(readGlobals),
): Promise<unknown> {
  if (foreseen !== null) {
    reader.foresee(channel.subarray(0, foreseen % (channel.length + 1)));
  }
  try {
    return await reader.read({ ...RESULT, status }, channel);
  } catch (error) {
    expect(error).toBeInstanceOf(SafeExecError);
    const { message, exception: raised } = error as SafeExecError;
    return { message, raised };
  }
}

it('is the globals that were sent', async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (channel) => {
      const text = channel.subarray(1).toString();
      const globals = parseJson(text) as object;
      expectSame(await read(channel, null, 0), {
        content: { globals, names: Object.keys(globals) },
        omitted: [],
      });
      expectSame(await read(channel, null, 0, new AnswerReader(readText)), {
        content: text,
        omitted: [],
      });
    }),
    { numRuns: 500 },
  );
});

it('is globals or a SafeExecError, whatever comes, and the same wherever it was foreseen', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(), fc.constantFrom(0, 0, 1, -9), async (channel, at, status) => {
      expectSame(await read(channel, at, status), await read(channel, null, status));
    }),
    { numRuns: 1000 },
  );
});
