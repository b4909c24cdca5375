// Text that hostile code wrote, made fit for a terminal.
import { stripVTControlCharacters } from 'node:util';

/**
 * One line without control characters, which could move the cursor or write over other lines.
 * @param {string} text
 * @param {number} length the most characters to keep
 */
export function plainText(text, length) {
  const line = stripVTControlCharacters(text)
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}
