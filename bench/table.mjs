// The figures and the verdicts, as tables for people.
import Table from 'cli-table3';
import pico from 'picocolors';

export function makeTable(head, colAligns) {
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
}

/**
 * @param {import('./measurement.mjs').Figure[]} figures
 * @returns {string}
 */
export function figuresTable(figures) {
  const table = makeTable(
    ['program', 'calling process', 'run by', 'median ms', 'p95 ms', '× spawn', 'setup ms'],
    ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
  );
  for (const { program, server, contender, milliseconds, setupMs } of figures) {
    const plain = figures.find((figure) => {
      return figure.contender === 'spawn' && figure.program === program && figure.server === server;
    });
    table.push([
      program,
      server,
      contender === 'codejail' ? pico.bold(contender) : contender,
      milliseconds.median.toFixed(2),
      milliseconds.p95.toFixed(2),
      (milliseconds.median / plain.milliseconds.median).toFixed(2),
      setupMs === null ? '' : setupMs.median.toFixed(2),
    ]);
  }
  return table.toString();
}

/**
 * @param {import('./targets.mjs').Verdict[]} verdicts
 * @returns {string}
 */
export function targetsTable(verdicts) {
  const table = makeTable(
    ['target', 'measured', 'to reach', 'holds'],
    ['left', 'right', 'right', 'left'],
  );
  for (const { target, measured, atMost, atLeast, holds } of verdicts) {
    const word = holds ? pico.green('yes') : pico.red('no');
    const bound = atMost === undefined ? `≥ ${atLeast.toFixed(2)}` : `≤ ${atMost.toFixed(2)}`;
    table.push([target, measured.toFixed(2), bound, word]);
  }
  return table.toString();
}
