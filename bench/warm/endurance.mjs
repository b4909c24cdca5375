// A thousand calls in a row: what the caller has afterwards that it had not before.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ofJail, TASKS, warmJail } from './contenders.mjs';
import { timed } from './latency.mjs';

async function look() {
  // Nothing of a call that has just settled is on its way any more.
  await sleep(300);
  return {
    residentBytes: process.memoryUsage().rss,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

/** @returns the caller's memory and descriptors after a hundred calls, and after `calls` more */
export async function measureEndurance({ python, calls = 1000, onRound }) {
  const warm = ofJail('warm', await warmJail(python, TASKS[0]));
  const run = async (count) => {
    for (let call = 0; call < count; call += 1) {
      onRound(`call ${call + 1} of ${count}`);
      await timed(warm, TASKS[0].code);
    }
  };
  try {
    await run(100);
    const before = await look();
    await run(calls);
    const after = await look();
    return { calls, before, after, stats: warm.jail.stats() };
  } finally {
    await warm.stop();
  }
}
