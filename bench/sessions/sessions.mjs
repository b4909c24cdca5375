// Sessions, each figure beside its floor of the same run; and what they hold.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeTable } from '../table.mjs';
import { measureTimes } from './steps.mjs';

const MEBIBYTE = 1024 * 1024;
const PROGRAM = fileURLToPath(new URL('holding.mjs', import.meta.url));
// More would be no surer: each is a median.
const MOST_RUNS = 60;

/** @returns times, and what sessions hold */
export async function measureSessions({ python, runs, seconds, onRound }) {
  const times = await measureTimes({ python, runs: Math.min(runs, MOST_RUNS), seconds, onRound });
  onRound('100 sessions');
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', PROGRAM, python]);
  return { ...times, holding: JSON.parse(stdout) };
}

const mebibytes = (bytes) => bytes / MEBIBYTE;

function held({ sessions, alone, many }) {
  return mebibytes(many.privateBytes - alone.privateBytes) / sessions;
}

/** A table for people. */
export function sessionsText({ steps, forks, openings, branches, holding }) {
  const table = makeTable(['', 'median ms', 'p95'], ['left', 'right', 'right']);
  const rows = (title, figures) => {
    for (const [name, { median, p95 }] of Object.entries(figures)) {
      table.push([`${title}: ${name}`, median.toFixed(2), p95.toFixed(2)]);
    }
  };
  rows('a step after 50 ms', steps.paused);
  rows('a step after another', steps.pressed);
  rows('a fork', forks);
  rows('a beginning', openings);
  const { sessions, alone, many, after, endurance } = holding;
  const { before, after: grown, milliseconds } = endurance;
  const more = (from, to) =>
    `${mebibytes(to.residentBytes - from.residentBytes).toFixed(1)} MiB and ${to.descriptors - from.descriptors} descriptors`;
  return [
    table.toString(),
    `${branches.callers} callers: ${branches.branches.toFixed(0)} branches a second, ${branches.calls.toFixed(0)} warm calls`,
    `${sessions} sessions: ${held(holding).toFixed(1)} MiB of their own each; the server has ${more(alone, many)} more, ` +
      `${more(alone, after)} when they are closed`,
    `${endurance.steps} steps: the server has ${more(before, grown)} more, the jail ` +
      `${mebibytes(grown.privateBytes - before.privateBytes).toFixed(1)} MiB; a step took ` +
      `${milliseconds.first.toFixed(2)} ms at first, ${milliseconds.last.toFixed(2)} at last`,
    ...steps.missing.map((why) => `not measured: ${why}`),
  ].join('\n');
}

const atMost = (target, measured, limit) => ({
  ...{ target, measured, atMost: limit, holds: measured <= limit },
});

/** @returns {import('../targets.mjs').Verdict[]} */
export function judgeSessions(sessions) {
  if (sessions === undefined) return [];
  const { steps, forks, openings, branches, holding } = sessions;
  const { before, after, milliseconds } = holding.endurance;
  const ratio = (figures, one, other) => figures[one].median / figures[other].median;
  const rate = branches.branches / branches.calls;
  return [
    atMost(
      'a step after 50 ms: to a persistent Python',
      ratio(steps.paused, 'session', 'persistent'),
      1.5,
    ),
    atMost(
      'a step after another: to a bare fork and the step',
      ratio(steps.pressed, 'session', 'fork'),
      1.5,
    ),
    atMost('fork(): to a bare fork', ratio(forks, 'fork()', 'bare fork'), 2.5),
    { target: 'branches to warm calls', measured: rate, atLeast: 1, holds: rate >= 1 },
    atMost('an opening: to a warm call', ratio(openings, 'opening', 'warm call'), 2),
    atMost('an idle session: MiB of its own', held(holding), 6),
    atMost(
      '1,000 steps: MiB more of the server',
      mebibytes(after.residentBytes - before.residentBytes),
      8,
    ),
    atMost(
      '1,000 steps: MiB more of the jail',
      mebibytes(after.privateBytes - before.privateBytes),
      2,
    ),
    atMost('1,000 steps: descriptors more', after.descriptors - before.descriptors, 2),
    atMost(
      '1,000 steps: time of the last to the first',
      milliseconds.last / milliseconds.first,
      1.5,
    ),
  ];
}
