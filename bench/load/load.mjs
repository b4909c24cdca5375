// Whether a server answers its other clients while it has many programs run.
import { summaryOf } from '../statistics.mjs';
import { makeTable } from '../table.mjs';
import { serve } from './server.mjs';

const CALLERS = 64;
const WORST_P99_MS = 25;
const WORST_MS = 250;

/** @returns for each way, the calls a second and the time of a ping */
export async function measureLoad({ python, seconds, onRound }) {
  const results = [];
  for (const way of ['cold', 'warm']) {
    onRound(`${CALLERS} callers, ${way}`);
    const { perSecond, pings } = await serve(python, way, CALLERS, seconds);
    results.push({
      way,
      callers: CALLERS,
      perSecond,
      pings: pings.length,
      milliseconds: { ...summaryOf(pings), max: Math.max(...pings) },
    });
  }
  return results;
}

/** A table for people. */
export function loadText(results) {
  const table = makeTable(
    ['callers', 'calls/s', 'pings', 'ping ms', 'p95', 'p99', 'longest'],
    ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
  );
  for (const { way, callers, perSecond, pings, milliseconds } of results) {
    const { median, p95, p99, max } = milliseconds;
    const times = [median, p95, p99, max].map((time) => time.toFixed(1));
    table.push([`${callers}, ${way}`, perSecond.toFixed(0), pings, ...times]);
  }
  return table.toString();
}

/** @returns {import('../targets.mjs').Verdict[]} */
export function judgeLoad(results = []) {
  return results.flatMap(({ way, callers, milliseconds: { p99, max } }) => [
    {
      target: `${callers} callers, ${way}: p99 of a ping, ms`,
      measured: p99,
      atMost: WORST_P99_MS,
      holds: p99 <= WORST_P99_MS,
    },
    {
      target: `${callers} callers, ${way}: longest ping, ms`,
      measured: max,
      atMost: WORST_MS,
      holds: max <= WORST_MS,
    },
  ]);
}
