// The table of grades: 100 columns wide, with or without colours.
import Table from 'cli-table3';
import pico from 'picocolors';

const paints = { right: pico.green, wrong: pico.yellow, crashed: pico.yellow };

/**
 * @param {{ name: string, verdict: string, reason: string, points: number, cases: number,
 *   milliseconds: number }[]} grades
 * @returns {string}
 */
export function gradesTable(grades) {
  const table = new Table({
    head: ['submission', 'verdict', 'reason', 'score', 'ms'].map((title) => pico.bold(title)),
    colWidths: [22, 14, 43, 7, 8],
    colAligns: ['left', 'left', 'left', 'right', 'right'],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { name, verdict, reason, points, cases, milliseconds } of grades) {
    table.push([
      name.replace(/\.py$/, ''),
      (paints[verdict] ?? pico.red)(verdict),
      reason,
      `${points}/${cases}`,
      milliseconds.toFixed(0),
    ]);
  }
  return table.toString();
}
