// Python's repr() of bytes, which CodeJail's error messages are made of.

const ESCAPES: Readonly<Record<number, string>> = {
  0x09: '\\t',
  0x0a: '\\n',
  0x0d: '\\r',
  0x5c: '\\\\',
};

/** `b'…'` as Python prints it; with double quotes where the bytes have single ones only. */
export function bytesRepr(bytes: Uint8Array): string {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? 0x22 : 0x27;
  const parts: string[] = [];
  for (const byte of bytes) {
    const escape = ESCAPES[byte];
    if (escape !== undefined) {
      parts.push(escape);
    } else if (byte === quote) {
      parts.push('\\', String.fromCharCode(byte));
    } else if (byte < 0x20 || byte >= 0x7f) {
      parts.push('\\x', byte.toString(16).padStart(2, '0'));
    } else {
      parts.push(String.fromCharCode(byte));
    }
  }
  const mark = String.fromCharCode(quote);
  return `b${mark}${parts.join('')}${mark}`;
}
