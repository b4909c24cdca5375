// What the soak has found, as tables for people.
import pico from 'picocolors';
import { makeTable } from '../table.mjs';

/**
 * @param {Map<string, { calls: number, wrong: number, ms: number }>} kinds
 * @returns {string}
 */
export function callsTable(kinds) {
  const table = makeTable(
    ['call', 'calls', 'wrong', 'mean ms'],
    ['left', 'right', 'right', 'right'],
  );
  for (const [name, { calls, wrong, ms }] of kinds) {
    table.push([name, calls, wrong, calls === 0 ? '' : (ms / calls).toFixed(0)]);
  }
  return table.toString();
}

/**
 * @param {{ what: string, found: string, holds: boolean }[]} verdicts
 * @returns {string}
 */
export function verdictsTable(verdicts) {
  const table = makeTable(['what', 'found', 'holds'], ['left', 'left', 'left']);
  for (const { what, found, holds } of verdicts) {
    table.push([what, found, holds ? pico.green('yes') : pico.red('no')]);
  }
  return table.toString();
}
