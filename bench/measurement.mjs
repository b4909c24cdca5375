// The measurement: everyone in turn, round by round, so that what slows the machine slows all alike.
import { ESSENTIAL } from './contenders.mjs';
import { summaryOf } from './statistics.mjs';

/**
 * @typedef {object} Figure
 * @property {string} program
 * @property {string} contender
 * @property {'small' | 'large'} server which calling process
 * @property {{ median: number, p95: number }} milliseconds
 * @property {{ median: number, p95: number } | null} setupMs codejail's own
 */

/**
 * Who is measured: everyone in the small process, and codejail and the plain spawn with the first
 * program in the large one too.
 */
function plan(servers, programs, contenders) {
  const inSmall = programs.flatMap((program) =>
    contenders.map((contender) => ({ server: 'small', program, contender })),
  );
  const inLarge = ESSENTIAL.map((contender) => ({
    server: 'large',
    program: programs[0],
    contender,
  }));
  return [...inSmall, ...inLarge].map((entry) => ({
    ...entry,
    call: () => servers[entry.server].call(entry.contender, entry.program),
    milliseconds: [],
    setupMs: [],
  }));
}

/**
 * Measures.
 * @param {{ small: import('./server.mjs').Server, large: import('./server.mjs').Server }} servers
 * @param {import('./programs.mjs').Program[]} programs
 * @param {string[]} contenders
 * @param {{ runs: number, warmup: number, onRound: (done: number) => void }} options
 * @returns {Promise<Figure[]>}
 */
export async function measure(servers, programs, contenders, { runs, warmup, onRound }) {
  const entries = plan(servers, programs, contenders);
  for (let round = 0; round < warmup + runs; round += 1) {
    onRound(round);
    // Each round begins with another one: nobody always follows the same neighbour's mess.
    const first = round % entries.length;
    for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
      const { milliseconds, setupMs } = await entry.call();
      if (round >= warmup) {
        entry.milliseconds.push(milliseconds);
        if (setupMs !== null) {
          entry.setupMs.push(setupMs);
        }
      }
    }
  }
  return entries.map(({ server, program, contender, milliseconds, setupMs }) => ({
    program: program.name,
    contender,
    server,
    milliseconds: summaryOf(milliseconds),
    setupMs: setupMs.length === 0 ? null : summaryOf(setupMs),
  }));
}
