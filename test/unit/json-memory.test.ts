// What is kept of a long text: a value, never the text that it was read from.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseJsonInSlices } from '../../lib/json/parse';
import type { JsonValue } from '../../lib/json/value';

const TEXTS = 20;
const TEXT_BYTES = 16 << 20;
const FILLING = 'x'.repeat(TEXT_BYTES);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function keep(value: string): Promise<JsonValue> {
  // Joined, so that each text has a memory of its own.
  const text = [`[${value},"`, FILLING, '"]'].join('');
  return ((await parseJsonInSlices(text)).value as JsonValue[])[0] as JsonValue;
}

describe('a text of 16 MiB is given up', () => {
  test.each([
    ['a string', () => '"20 characters of text"'],
    ['a string with an escape', () => '"20 characters \\u00e9 text"'],
    ['a string with an escaped quote', () => '"20 characters \\" text"'],
    ['an object, by its name', (index: number) => `{"a long name, number ${index}":1}`],
    ['a long integer', () => '12345678901234567890'],
    ['a number with a fraction', () => '1234567.890123456789'],
  ])('where all that is kept of it is %s', async (_name, valueOf) => {
    const kept: JsonValue[] = [];
    const before = heapUsed();
    for (let index = 0; index < TEXTS; index++) {
      kept.push(await keep(valueOf(index)));
    }
    expect(heapUsed() - before).toBeLessThan(TEXT_BYTES);
    expect(kept).toHaveLength(TEXTS);
  });
});
