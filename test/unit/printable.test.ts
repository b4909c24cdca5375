import { InvalidArgumentError, JailError } from '../../lib/errors';
import { printable, printableJson, printableMessage } from '../../lib/text/printable';

// What a terminal obeys, what ends a line, and what can't be seen.
const HOSTILE = [
  ['an escape sequence', 'a\x1b]52;c;aGk=\x07b', 'a\\x1b]52;c;aGk=\\x07b'],
  ['a C1 control', 'a\u009b31mb', 'a\\x9b31mb'],
  ['a line break', 'a\nb\rc', 'a\\x0ab\\x0dc'],
  ['DEL and NUL', '\x7f\0', '\\x7f\\x00'],
  ['a turn of direction', 'a\u202egnp', 'a\\u202egnp'],
  ['a separator of lines', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\x85d'],
  ['what has no shape', 'a\u200bb\ufeff\u{e0041}', 'a\\u200bb\\ufeff\\u{e0041}'],
  ['half a character', 'a\ud83d', 'a\\ud83d'],
] as const;

it.each(HOSTILE)('spells out %s', (_name, text, spelled) => {
  expect(printable(text)).toBe(spelled);
});

it.each(['plain', 'naïve Zürich 北京 😀', 'tabs are spelled: no', 'it\'s "quoted" \\ too'])(
  'leaves %j as it is',
  (text) => {
    expect(printable(text)).toBe(text);
  },
);

it('keeps the lines of a message of several, and sets all but the first in', () => {
  expect(printableMessage('one\x1b[1m\ntwo\u0085\n  three\n')).toBe(
    'one\\x1b[1m\n  two\\x85\n  three\n',
  );
});

it.each(HOSTILE)('gives JSON with the same value and without %s', (_name, text) => {
  const json = printableJson(JSON.stringify({ [text]: [text] }));
  expect(json).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(json)).toEqual({ [text]: [text] });
});

it.each(HOSTILE)('lets no error carry %s in its message', (_name, text, spelled) => {
  expect(new InvalidArgumentError('files[0]', `names ${text}`).message).toBe(
    `files[0] names ${spelled}`,
  );
  expect(new JailError('ERR_CODEJAIL_SETUP', `at ${text}`).message).toBe(`at ${spelled}`);
  expect(new JailError('ERR_CODEJAIL_SETUP', ['one', text]).message).toBe(`one\n${spelled}`);
});
