// What is written to people: coloured on a terminal, plain elsewhere, and never moving the cursor.
import { createColors } from 'picocolors';
import { printable, printableJson } from '../text/printable';

/** Ways to paint a text. */
export type Colors = ReturnType<typeof createColors>;

/** The colours of a stream: none where it is no terminal, or NO_COLOR (https://no-color.org) is set. */
export function colorsOf(stream: { isTTY?: boolean }): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  // Never undefined, which leaves the choice to picocolors: it colours pipes where CI is set, and wherever --color is
  // among the arguments, also those of the jailed program. A stream that is no terminal has no isTTY at all.
  const wanted =
    (NO_COLOR ?? '') === '' &&
    ((FORCE_COLOR ?? '') !== '' ? FORCE_COLOR !== '0' : stream.isTTY === true && TERM !== 'dumb');
  return createColors(wanted);
}

// What this file's colours are, and nothing else that a terminal obeys.
const PAINT = new RegExp(`(${String.fromCharCode(0x1b)}\\[[0-9]{1,2}m)`);

/** A line with its colours, in which names of others' may stand. */
function safeLine(line: string): string {
  return line
    .split(PAINT)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('');
}

/** Writes lines to standard output. */
export function say(...lines: string[]): void {
  process.stdout.write(`${lines.map(safeLine).join('\n')}\n`);
}

/** Writes lines to standard error. */
export function sayAside(...lines: string[]): void {
  process.stderr.write(`${lines.map(safeLine).join('\n')}\n`);
}

/** Writes a value as JSON to standard output. */
export function sayJson(value: unknown): void {
  say(...printableJson(JSON.stringify(value, null, 2)).split('\n'));
}

/** Rows as aligned columns, each row indented. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    `${indent}${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd(),
  );
}
