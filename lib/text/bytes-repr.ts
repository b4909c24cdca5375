/** Of longer bytes, only the beginning and the end are spelled out. */
const SPELLED_HEAD = 16 * 1024;
const SPELLED_TAIL = 48 * 1024;

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function escaped(bytes: Buffer, quote: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is escaped
  return bytes.toString('latin1').replace(/[\x00-\x1f\x7f-\xff\\']/g, (character) => {
    if (character === "'") {
      return quote === "'" ? "\\'" : character;
    }
    const hexadecimal = character.charCodeAt(0).toString(16).padStart(2, '0');
    return NAMED_ESCAPES[character] ?? `\\x${hexadecimal}`;
  });
}

/**
 * Python's `repr` of a bytes object, exactly: `b'it\xe9\n'`, with double quotes where that saves escapes.
 * Of more than 64 KiB the middle is left out, and counted: megabytes of what hostile code has printed would
 * keep the event loop for seconds.
 */
export function bytesRepr(value: Uint8Array): string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const quote = bytes.includes("'") && !bytes.includes('"') ? '"' : "'";
  const hidden = bytes.length - SPELLED_HEAD - SPELLED_TAIL;
  const inner =
    hidden <= 0
      ? escaped(bytes, quote)
      : `${escaped(bytes.subarray(0, SPELLED_HEAD), quote)}... (${hidden} more bytes) ...${escaped(bytes.subarray(-SPELLED_TAIL), quote)}`;
  return `b${quote}${inner}${quote}`;
}
