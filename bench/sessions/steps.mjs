// What a step, a fork and an opening take, each beside its floor: everyone in turn, some in a row.
import { setTimeout as sleep } from 'node:timers/promises';
import { createJail } from '../../dist/index.js';
import { summaryOf } from '../statistics.mjs';
import { floor, kernel } from './floor.mjs';

const STEP = 'a = 17\na + 4';
const VALUE = '21';
const PAUSE_MS = 50;
const IN_A_ROW = 10;
// After another one's: not what a server sees that has one of them.
const NOT_COUNTED = 2;

async function timed(run) {
  const start = performance.now();
  const value = await run();
  const milliseconds = performance.now() - start;
  if (value !== VALUE) throw new Error(`a step gave ${JSON.stringify(value)}`);
  return milliseconds;
}

/** Each in turn, some in a row; their times go into `times`. */
async function inTurn(ways, { runs, pause, onRound, what }) {
  for (let done = 0; done < runs; done += IN_A_ROW) {
    onRound(`${what}: ${done} of ${runs}`);
    for (const way of ways) {
      for (let turn = -NOT_COUNTED; turn < Math.min(IN_A_ROW, runs - done); turn += 1) {
        await sleep(pause);
        const milliseconds = await way.take();
        if (turn >= 0) way.times.push(milliseconds);
      }
    }
  }
  return Object.fromEntries(ways.map(({ name, times }) => [name, summaryOf(times)]));
}

const way = (name, take) => ({ name, take, times: [] });
const runWay = (name, run) => way(name, () => timed(run));

/** Steps, with a pause before each and back to back. */
async function measureSteps({ jail, python, runs, onRound }) {
  const session = await jail.openSession();
  const [persistent, forking, notebook] = [
    await floor(python, 'persistent'),
    await floor(python, 'fork'),
    await kernel(),
  ];
  const ways = () => [
    runWay('session', async () => (await session.run(STEP)).value),
    runWay('persistent', () => persistent.run(STEP)),
    runWay('fork', () => forking.run(STEP)),
    ...(typeof notebook === 'string' ? [] : [runWay('kernel', () => notebook.run(STEP))]),
  ];
  try {
    const paused = await inTurn(ways(), { runs, pause: PAUSE_MS, onRound, what: 'steps' });
    const pressed = await inTurn(ways(), { runs, pause: 0, onRound, what: 'steps in a row' });
    return { paused, pressed, missing: typeof notebook === 'string' ? [notebook] : [] };
  } finally {
    persistent.stop();
    forking.stop();
    if (typeof notebook !== 'string') notebook.stop();
    await session.close();
  }
}

/** `fork()` beside a bare fork. */
async function measureForks({ jail, python, runs, onRound }) {
  const session = await jail.openSession();
  const bare = await floor(python, 'bare');
  try {
    await session.run(STEP);
    const ways = [
      way('fork()', async () => {
        const start = performance.now();
        const forked = await session.fork();
        const milliseconds = performance.now() - start;
        await forked.close();
        return milliseconds;
      }),
      way('bare fork', async () => {
        const start = performance.now();
        await bare.run(STEP);
        return performance.now() - start;
      }),
    ];
    return await inTurn(ways, { runs, pause: PAUSE_MS, onRound, what: 'forks' });
  } finally {
    bare.stop();
    await session.close();
  }
}

/** An opening from a waiting cell, its first step with it, beside a warm call. */
async function measureOpenings({ jail, runs, onRound }) {
  const ways = [
    way('opening', async () => {
      const start = performance.now();
      const session = await jail.openSession();
      const milliseconds = performance.now() - start;
      await session.close();
      return milliseconds;
    }),
    runWay('warm call', async () => {
      const globals = {};
      await jail.safeExec('a = 17\nb = repr(a + 4)', globals);
      return globals.b;
    }),
  ];
  return inTurn(ways, { runs, pause: PAUSE_MS, onRound, what: 'openings' });
}

async function perSecond(seconds, callers, call) {
  const start = performance.now();
  const end = start + seconds * 1000;
  let done = 0;
  const caller = async () => {
    while (performance.now() < end) {
      await call();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return done / ((performance.now() - start) / 1000);
}

const CALLERS = 8;
const ROUNDS = 3;

/** Branches a second beside warm calls a second; the best round of each. */
async function measureBranches({ jail, seconds, onRound }) {
  const session = await jail.openSession();
  const best = { branches: 0, calls: 0 };
  const each = Math.min(seconds, 3);
  try {
    await session.run(STEP);
    for (let round = 0; round < ROUNDS; round += 1) {
      onRound(`branches: round ${round + 1}`);
      const branches = await perSecond(each, CALLERS, () => session.run(STEP, { keep: 'never' }));
      const calls = await perSecond(each, CALLERS, () => jail.safeExec('a = 17\nb = a + 4', {}));
      best.branches = Math.max(best.branches, branches);
      best.calls = Math.max(best.calls, calls);
    }
  } finally {
    await session.close();
  }
  return { callers: CALLERS, ...best };
}

/** @returns all of it */
export async function measureTimes(options) {
  const { python } = options;
  const jail = createJail({
    commands: { python: { bin: python, warm: { rehearsal: 'a = 17' } } },
    limits: { realtime: 20, cpu: 15 },
  });
  try {
    await jail.warmUp();
    const given = { ...options, jail };
    return {
      steps: await measureSteps(given),
      forks: await measureForks(given),
      openings: await measureOpenings(given),
      branches: await measureBranches(given),
    };
  } finally {
    await jail.close();
  }
}
