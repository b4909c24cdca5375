import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { bytesRepr } from '../../lib/text/bytes-repr';

describe('bytesRepr', () => {
  test.each([
    ['', "b''"],
    ['plain', "b'plain'"],
    ["it's", 'b"it\'s"'],
    ['"quoted"', 'b\'"quoted"\''],
    ['it\'s "quoted"', "b'it\\'s \"quoted\"'"],
    ['a\\b\t\n\r', "b'a\\\\b\\t\\n\\r'"],
    ['\0\x1f\x7f~', "b'\\x00\\x1f\\x7f~'"],
    ['é', "b'\\xc3\\xa9'"],
  ])('writes %j as %s', (text, repr) => {
    expect(bytesRepr(Buffer.from(text))).toBe(repr);
  });

  test('reads only the bytes of a view', () => {
    expect(bytesRepr(new TextEncoder().encode('abcdef').subarray(2, 4))).toBe("b'cd'");
  });

  test('equals what Python writes, for every byte and for random bytes', () => {
    const samples = [
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      ...Array.from({ length: 500 }, (_, length) => randomBytes(length % 40)),
    ];
    const program = `
import sys
for line in sys.stdin:
    print(bytes.fromhex(line.strip()))
`;
    const { stdout } = spawnSync('python3', ['-c', program], {
      input: samples.map((sample) => `${sample.toString('hex')}\n`).join(''),
      encoding: 'utf8',
    });
    expect(samples.map((sample) => `${bytesRepr(sample)}\n`).join('')).toBe(stdout);
  });

  test('spells 64 KiB out, and of more the beginning and the end', () => {
    const most = Buffer.alloc(64 * 1024, 'a');
    expect(bytesRepr(most)).toBe(`b'${'a'.repeat(64 * 1024)}'`);
    const flood = Buffer.concat([
      Buffer.from('first'),
      Buffer.alloc(16 << 20),
      Buffer.from('last'),
    ]);
    const text = bytesRepr(flood);
    expect(text.length).toBeLessThan(300_000);
    expect(text.startsWith("b'first\\x00")).toBe(true);
    expect(text.endsWith("\\x00last'")).toBe(true);
    expect(text).toContain(`... (${flood.length - 64 * 1024} more bytes) ...`);
  });
});
