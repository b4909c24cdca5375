// How a warm call's time grows: with the caller's memory, with the globals, with the size of the pool.
import { setTimeout as sleep } from 'node:timers/promises';
import { summaryOf } from '../statistics.mjs';
import { ofJail, TASKS, warmJail } from './contenders.mjs';
import { timed } from './latency.mjs';

const MEBIBYTE = 1024 * 1024;
const PAUSE_MS = 10;
const HEAPS = [50 * MEBIBYTE, 1024 * MEBIBYTE];
const GLOBALS = [1e3, 1e4, 1e5, 1e6, 1e7];
const POOLS = [1, 2, 4, 16, 64];

async function measure(warm, runs, globals = {}) {
  const times = [];
  for (let run = 0; run < runs; run += 1) {
    await sleep(PAUSE_MS);
    times.push(await timed(warm, TASKS[0].code, { ...globals }));
  }
  return summaryOf(times);
}

async function withWarm(python, options, work) {
  const warm = ofJail('warm', await warmJail(python, TASKS[0], options));
  try {
    // The first calls compile what the later ones only run.
    await measure(warm, 5);
    return await work(warm);
  } finally {
    await warm.stop();
  }
}

/** @returns the summaries by bytes of memory, bytes of globals, and number of waiting cells */
export async function measureGrowth({ python, runs, onRound }) {
  const heap = [];
  for (const bytes of HEAPS) {
    onRound(`${bytes / MEBIBYTE} MiB of memory`);
    // Filled with ones, so that every page is really there.
    const held = [];
    for (let left = bytes; left > 0; left -= 64 * MEBIBYTE) {
      held.push(Buffer.alloc(Math.min(left, 64 * MEBIBYTE), 1));
    }
    const milliseconds = await withWarm(python, {}, (warm) => measure(warm, runs));
    heap.push({ bytes, chunks: held.length, milliseconds });
  }
  const globals = await withWarm(python, {}, async (warm) => {
    const results = [];
    for (const bytes of GLOBALS) {
      onRound(`${bytes} bytes of globals`);
      const text = 'x'.repeat(bytes);
      const few = bytes >= 1e6 ? Math.ceil(runs / 4) : runs;
      results.push({ bytes, milliseconds: await measure(warm, few, { text }) });
    }
    return results;
  });
  const pool = [];
  for (const size of POOLS) {
    onRound(`a pool of ${size}`);
    pool.push({
      size,
      ...(await withWarm(python, { size }, async (warm) => ({
        milliseconds: await measure(warm, runs),
        templateBytes: warm.jail.stats().pools.python.templateBytes,
      }))),
    });
  }
  return { heap, globals, pool };
}
