// What is promised about speed, and whether it held.
import { ESSENTIAL } from './contenders.mjs';

const PYTHON_TO_SPAWN = 1.35;
const LARGE_TO_SMALL = 1.3;

/**
 * @typedef {{ target: string, measured: number, atMost?: number, atLeast?: number, holds: boolean }} Verdict
 */

/**
 * @param {import('./measurement.mjs').Figure[]} figures
 * @returns {Verdict[]} all are ratios of medians
 */
export function judge(figures) {
  const median = (program, contender, server = 'small') =>
    figures.find(
      (figure) =>
        figure.program === program && figure.contender === contender && figure.server === server,
    ).milliseconds.median;
  const ratios = [
    {
      target: 'python: codejail to plain spawn',
      measured: median('python', 'codejail') / median('python', 'spawn'),
      atMost: PYTHON_TO_SPAWN,
    },
    ...figures
      .filter(({ program, contender }) => {
        return program === 'python' && !ESSENTIAL.includes(contender);
      })
      .map(({ contender }) => ({
        target: `python: codejail to ${contender}`,
        measured: median('python', 'codejail') / median('python', contender),
        atMost: 1,
      })),
    {
      target: 'true: codejail in the large process to the small one',
      measured: median('true', 'codejail', 'large') / median('true', 'codejail'),
      atMost: LARGE_TO_SMALL,
    },
  ];
  return ratios.map((ratio) => ({ ...ratio, holds: ratio.measured <= ratio.atMost }));
}
