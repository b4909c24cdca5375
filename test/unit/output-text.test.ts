import { textOutput, textOutputs } from '../../lib/run/output-text';

/** What callbacks are told of these chunks. */
function told(...chunks: Uint8Array[]): { bytes: Buffer; texts: string[]; lines: string[] } {
  const bytes: Buffer[] = [];
  const texts: string[] = [];
  const lines: string[] = [];
  const output = textOutput({
    onChunk: (chunk) => bytes.push(chunk),
    onText: (text) => texts.push(text),
    onLine: (line) => lines.push(line),
  });
  for (const chunk of chunks) {
    output?.take(Buffer.from(chunk));
  }
  output?.end();
  return { bytes: Buffer.concat(bytes), texts, lines };
}

describe('what a program prints, as text', () => {
  it('is nobody there where nobody listens', () => {
    expect(textOutput({})).toBeUndefined();
    expect(textOutputs({})).toEqual({ stdout: undefined, stderr: undefined });
  });

  it('gives lines without their ends, and at last what has none', () => {
    const { lines } = told(Buffer.from('one\ntwo\r\n\nthr'), Buffer.from('ee\nlast'));
    expect(lines).toEqual(['one', 'two', '', 'three', 'last']);
  });

  it('gives no line after the last end', () => {
    expect(told(Buffer.from('one\n')).lines).toEqual(['one']);
    expect(told().lines).toEqual([]);
  });

  it('takes the end of a line that comes in two chunks for one', () => {
    expect(told(Buffer.from('one\r'), Buffer.from('\ntwo')).lines).toEqual(['one', 'two']);
  });

  it('cuts no character, wherever chunks end', () => {
    const all = Buffer.from('žluť 🐍\n€');
    for (let at = 0; at <= all.length; at += 1) {
      const { texts, lines } = told(all.subarray(0, at), all.subarray(at));
      expect([texts.join(''), lines]).toEqual(['žluť 🐍\n€', ['žluť 🐍', '€']]);
      expect(texts.join('')).not.toContain('\ufffd');
    }
  });

  it('gives what is no UTF-8 as U+FFFD, also a character that never ends', () => {
    const { texts, lines } = told(Uint8Array.of(0x61, 0xff, 0x0a, 0xe2, 0x82));
    expect([texts.join(''), lines]).toEqual(['a\ufffd\n\ufffd', ['a\ufffd', '\ufffd']]);
  });

  it('gives the bytes as they came', () => {
    const bytes = Uint8Array.of(0, 255, 10, 13, 128);
    expect(told(bytes.subarray(0, 2), bytes.subarray(2)).bytes).toEqual(Buffer.from(bytes));
  });

  it('gives a line of more than 16 Mi characters in parts', () => {
    const chunk = Buffer.alloc(1024 * 1024, 97);
    const { lines } = told(...Array<Buffer>(20).fill(chunk), Buffer.from('b\nc'));
    expect(lines.map(({ length }) => length)).toEqual([17 * 1024 * 1024, 3 * 1024 * 1024 + 1, 1]);
  });

  it('gives text before the callback for bytes can change them', () => {
    const lines: string[] = [];
    const output = textOutput({
      onChunk: (chunk) => chunk.fill(0),
      onLine: (line) => lines.push(line),
    });
    output?.take(Buffer.from('mine\n'));
    expect(lines).toEqual(['mine']);
  });
});
