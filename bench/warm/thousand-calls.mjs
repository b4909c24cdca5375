// A calling process of its own, run with --expose-gc: what it has after many calls that it had not before.
//   PYTHON CALLS
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ofJail, TASKS, warmJail } from './contenders.mjs';
import { timed } from './latency.mjs';

async function look() {
  // Nothing of a call that has just settled is on its way any more.
  await sleep(300);
  global.gc();
  return {
    residentBytes: process.memoryUsage().rss,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

// By then V8's young generation has the size that it keeps.
const SETTLED = 4000;

const [python, calls] = process.argv.slice(2);
const warm = ofJail('warm', await warmJail(python, TASKS[0]));

async function run(count) {
  for (let call = 0; call < count; call += 1) {
    await timed(warm, TASKS[0].code);
  }
}

try {
  await run(SETTLED);
  const before = await look();
  await run(Number(calls));
  const after = await look();
  const stats = warm.jail.stats();
  process.stdout.write(
    JSON.stringify({ settled: SETTLED, calls: Number(calls), before, after, stats }),
  );
} finally {
  await warm.stop();
}
