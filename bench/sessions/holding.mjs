// A calling process of its own, run with --expose-gc: what sessions hold of memory and descriptors, and whether that grows.
//   PYTHON
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJail } from '../../dist/index.js';

const SESSIONS = 100;
const STEPS = 1000;
const KIBIBYTE = 1024;

const [python] = process.argv.slice(2);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The processes below this one, as /proc tells. */
function descendants() {
  const children = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [];
  const waiting = [String(process.pid)];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const own = children.get(pid) ?? [];
    found.push(...own);
    waiting.push(...own);
  }
  return found;
}

/** What processes have that no other one shares. */
function privateBytes(pids) {
  let bytes = 0;
  for (const pid of pids) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      for (const [, kib] of rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)) {
        bytes += Number(kib) * KIBIBYTE;
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return bytes;
}

async function look() {
  await sleep(500);
  global.gc();
  return {
    residentBytes: process.memoryUsage().rss,
    descriptors: readdirSync('/proc/self/fd').length,
    privateBytes: privateBytes(descendants()),
  };
}

const jail = createJail({
  commands: { python: { bin: python, warm: { rehearsal: 'a = 17', size: 1 } } },
  limits: { realtime: 20, cpu: 15 },
  maxRunning: SESSIONS,
});

async function steps(session, count) {
  const times = [];
  for (let step = 0; step < count; step += 1) {
    const start = performance.now();
    await session.run('a = 17\na + 4');
    times.push(performance.now() - start);
  }
  return times;
}

try {
  await jail.warmUp();
  const alone = await look();

  // One at a time: each takes the cell that waits, and another one is made.
  const opened = [];
  for (let session = 0; session < SESSIONS; session += 1) {
    opened.push(await jail.openSession());
    await opened.at(-1).run('a = 17');
  }
  const many = await look();
  const answers = await Promise.all(opened.map((session) => session.run('a + 4')));
  if (answers.some(({ value }) => value !== '21')) throw new Error('a session gave another value');
  await Promise.all(opened.map((session) => session.close()));
  const after = await look();

  const session = await jail.openSession();
  const first = await steps(session, STEPS / 4);
  const before = await look();
  const middle = await steps(session, STEPS / 2);
  const last = await steps(session, STEPS / 4);
  const grown = await look();
  await session.close();

  process.stdout.write(
    JSON.stringify({
      sessions: SESSIONS,
      ...{ alone, many, after },
      endurance: {
        steps: STEPS,
        ...{ before, after: grown },
        milliseconds: {
          first: median(first),
          middle: median(middle),
          last: median(last),
        },
      },
    }),
  );
} finally {
  await jail.close();
}
