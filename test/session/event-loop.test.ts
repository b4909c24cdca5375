// Whatever a step answers, no turn of the event loop takes long: as test/escape/event-loop.test.ts has it for calls.
import { readStepAnswer } from '../../lib/session/answer';
import { expectTurnsWithin } from '../support/turns';

function answerOf(fields: Record<string, string>): Buffer {
  const all = { value: 'null', display: '[]', globals: '{}', omitted: '[]', exception: 'null' };
  const told = Object.entries({ ...all, ...fields }).map(([name, text]) => `"${name}":${text}`);
  return Buffer.from(`S{${told.join(',')}}`);
}

const repeated = (text: string, times: number): string => Array(times).fill(text).join(',');
const names = Array.from({ length: 79_000 }, (_, n) => `"k${n}":1`).join(',');
const STEP = `{${names}}`;
const picture = (data: string): string => `[{"mime":"image/png","data":"${data}"}]`;

it.each([
  ['many that were left out', { omitted: `[${repeated('{"name":"x"}', 190_000)}]` }],
  ['many names of its own', { omitted: `[],${names}` }],
  ['an exception of many names', { exception: `{"type":"E",${names}}` }],
  ['a large picture', { display: picture('A'.repeat(16_000_000)) }],
  ['a large picture of bad base64', { display: picture('A ='.repeat(5_000_000)) }],
  ['many pictures', { display: `[${repeated(picture('A'.repeat(16_000)).slice(1, -1), 990)}]` }],
])('is not held by %s', async (_, fields) => {
  const channel = answerOf(fields);
  await expectTurnsWithin(async () => readStepAnswer(channel), { step: STEP, attempts: 8 });
});

it.each(['', '\n'])('reads pictures whose base64 has line ends: %j', async (between) => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, n) => n % 251));
  const text = bytes.toString('base64').replaceAll(/.{76}/g, `$&${between === '\n' ? '\\n' : ''}`);
  const answer = await readStepAnswer(answerOf({ display: picture(text) }));
  expect(answer).toMatchObject({ display: [{ mime: 'image/png', data: bytes }] });
});
