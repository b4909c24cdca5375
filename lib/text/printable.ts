// Controls (C0, DEL, C1), characters that turn the direction of text or have no shape, line separators, and halves of
// characters: all that a terminal obeys, a log takes for a line's end, or a reader can't see.
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const PRINTABLE_LINE = /^[\x20-\x7e]*$/;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) {
    return `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/**
 * Text that others have made, fit for one line of a terminal or of a log: what is not printable is spelled out, a
 * line break as `\x0a`. Text that is printable stays as it is.
 */
export function printable(text: string): string {
  return text.replace(NOT_PRINTABLE, escaped);
}

/**
 * The same, of a message that may have several lines. All but the first are set in: a line break that stands in a name of
 * others' begins no line that looks like another message.
 */
export function printableMessage(text: string): string {
  // Most are, and the class of all that is not takes several times as long to look for.
  if (PRINTABLE_LINE.test(text)) {
    return text;
  }
  const [first = '', ...rest] = text.split('\n').map(printable);
  return [first, ...rest.map((line) => (/^(?: |$)/.test(line) ? line : `  ${line}`))].join('\n');
}

const RAW_IN_JSON = /[\x7f-\x9f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu;

/** JSON text with the same value in which everything is printable: `JSON.stringify` leaves C1 controls as they are. */
export function printableJson(json: string): string {
  return json.replace(RAW_IN_JSON, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
