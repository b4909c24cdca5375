// With Jest. `npx jest`, with NODE_OPTIONS=--experimental-vm-modules
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cases } from './cases.mjs';
import { Submission } from './submission.mjs';

let submission;
beforeAll(async () => {
  submission = await Submission.load(fileURLToPath(new URL('word_count.py', import.meta.url)));
}, 60_000);
afterAll(() => submission?.close());

test.each(cases)('counts the words of $text', async ({ text, counts }) => {
  expect(await submission.call('word_count', text)).toEqual(counts);
});

// Fails on purpose where it is asked to: jest.test.mjs looks at how that looks.
const shown = process.env.SHOW_FAILURE === undefined ? test.skip : test;
shown('the most common word of nothing', async () => {
  expect(await submission.call('most_common', '')).toBe('');
});
