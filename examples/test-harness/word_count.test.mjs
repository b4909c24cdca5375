// With node:test. `node --test`
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cases } from './cases.mjs';
import { Submission } from './submission.mjs';

const submission = await Submission.load(fileURLToPath(new URL('word_count.py', import.meta.url)));
after(() => submission.close());

for (const { text, counts } of cases) {
  test(`counts the words of ${JSON.stringify(text)}`, async () => {
    assert.deepEqual(await submission.call('word_count', text), counts);
  });
}

test('cases run several at a time, each in a branch of its own', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => submission.call('word_count', 'x')),
  );
  assert.deepEqual(new Set(answers.map(({ x }) => x)), new Set([1]));
});

test("a failure shows the submission's line", async () => {
  await assert.rejects(submission.call('most_common', ''), {
    name: 'SubmissionError',
    message:
      /^most_common\(""\): ValueError: .*\n {4}at word_count\.py:14\n {4}14 \| {5}return max\(found, key=found\.get\)$/,
  });
});
