const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

/** Python's `repr` of a bytes object, exactly: `b'it\xe9\n'`, with double quotes where that saves escapes. */
export function bytesRepr(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  // eslint-disable-next-line no-control-regex -- control characters are what is escaped
  const escaped = text.replace(/[\x00-\x1f\x7f-\xff\\']/g, (character) => {
    if (character === "'") {
      return quote === "'" ? "\\'" : character;
    }
    const hexadecimal = character.charCodeAt(0).toString(16).padStart(2, '0');
    return NAMED_ESCAPES[character] ?? `\\x${hexadecimal}`;
  });
  return `b${quote}${escaped}${quote}`;
}
