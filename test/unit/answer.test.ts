// The runner's answer, read ahead of its program's end.
import type { JailResult } from '../../lib/run/result';
import { AnswerReader, readGlobals, readText } from '../../lib/exec/answer';
import { RESULT } from '../support/result';

async function answer(first: string, all: string): Promise<unknown> {
  const reader = new AnswerReader(readGlobals);
  const textReader = new AnswerReader(readText);
  reader.foresee(Buffer.from(first));
  textReader.foresee(Buffer.from(first));
  const { globals, names } = (await reader.read(RESULT, Buffer.from(all))).content;
  expect(names).toEqual(Object.keys(globals));
  expect((await textReader.read(RESULT, Buffer.from(all))).content).toBe(
    all.replace(/^O.*\n/, '').slice(1),
  );
  return globals;
}

it('is taken as it was foreseen, where nothing else came', async () => {
  expect(await answer('G{"a":17}', 'G{"a":17}')).toEqual({ a: 17 });
});

it('comes after what was left out', async () => {
  const text = 'O[{"name":"s","type":"set","why":"JSON has no set"}]\nG{"a":17}';
  expect(await answer(text, text)).toEqual({ a: 17 });
  const { omitted } = await new AnswerReader(readGlobals).read(RESULT, Buffer.from(text));
  expect(omitted).toEqual([{ name: 's', type: 'set', why: 'JSON has no set' }]);
});

it.each([
  ['O[1,null,{"name":3,"why":["x"]}]\nG{}', [{ name: '', type: '', why: '' }]],
  ['O{"length":9}\nG{}', []],
])('lists what fits of a list that the program has written, %j', async (text, omitted) => {
  const read = await new AnswerReader(readGlobals).read(RESULT, Buffer.from(text));
  expect(read).toEqual({ content: { globals: {}, names: [] }, omitted });
});

it.each(['O', 'O\n', 'O[]', 'O[\nG{}', 'O[]\nO[]\nG{}', `O[${' '.repeat(70_000)}]\nG{}`])(
  'is refused with a list that is none, %j',
  async (text) => {
    await expect(answer(text, text)).rejects.toThrow(/is no result/);
  },
);

it('is read anew where more came, whatever it looked like before', async () => {
  expect(await answer('G{"a":1', 'G{"a":17}')).toEqual({ a: 17 });
  expect(await answer('G{"a":1}', 'G{"a":1}\n')).toEqual({ a: 1 });
  await expect(answer('G{"a":1}', 'G{"a":1}G{"a":2}')).rejects.toThrow(/is no result/);
  await expect(answer('G{"a":1}', 'G{"a":1}\u00e9')).rejects.toThrow(/is no result/);
});

it('is not believed where the program did not end well', async () => {
  const reader = new AnswerReader(readGlobals);
  const channel = Buffer.from('G{"a":1}');
  reader.foresee(channel);
  await expect(reader.read({ ...RESULT, status: 1 }, channel)).rejects.toThrow(/status code: 1/);
});

it('says which limit has ended the program, beside a message that ends as CodeJail’s', async () => {
  const exceeded = { limit: 'realtime', allowed: 1, measured: 1.2 } as const;
  const result: JailResult = { ...RESULT, status: -9, outcome: 'time-limit', exceeded };
  await expect(new AnswerReader(readGlobals).read(result, Buffer.alloc(0))).rejects.toMatchObject({
    message: expect.stringMatching(/^Couldn't execute .* with status code: -9$/) as string,
    exceeded,
    reason: 'it ran longer than 1 s (the limit realtime)',
  });
});

it.each([
  ['{"type":"E","module":"a.b","message":"m","line":1,"traceback":"t"}', 'a.b'],
  ['{"type":"E","message":"m","line":1,"traceback":"t"}', null],
])('tells the exception of %s', async (body, module) => {
  await expect(
    new AnswerReader(readGlobals).read({ ...RESULT, status: 1 }, Buffer.from(`E${body}`)),
  ).rejects.toMatchObject({
    exception: { type: 'E', module, message: 'm', line: 1, traceback: 't' },
  });
});

it.each(['', 'G', 'G{', 'Gnull', 'G[1]', 'E{"type":"ValueError"}', 'G\ud800', 'x'])(
  'is refused, foreseen or not, where it is %j',
  async (text) => {
    await expect(answer(text, text)).rejects.toThrow(/Couldn't execute jailed code/);
  },
);
