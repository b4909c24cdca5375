// How many calls a second many callers get, and how long each then waits.
import { summaryOf } from '../statistics.mjs';
import { bare, ofJail, TASKS, warmJail } from './contenders.mjs';
import { timed } from './latency.mjs';

const CALLERS = [1, 2, 4, 8, 32];

async function press(contender, code, callers, seconds) {
  const times = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  const caller = async () => {
    while (performance.now() < end) {
      times.push(await timed(contender, code));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed = (performance.now() - start) / 1000;
  return { perSecond: times.length / elapsed, milliseconds: summaryOf(times) };
}

/** @returns for each number of callers, what warm cells and a bare fork sustain */
export async function measureThroughput({ python, seconds, onRound }) {
  const [task] = TASKS;
  const results = [];
  for (const callers of CALLERS) {
    // New ones each time: nobody inherits the other's full queue.
    const warm = ofJail('warm', await warmJail(python, task));
    const fork = await bare(python, task, 'fork');
    try {
      onRound(`${callers} callers`);
      const bareFork = await press(fork, task.code, callers, seconds);
      const warmCells = await press(warm, task.code, callers, seconds);
      const { cold, whyCold } = warm.jail.stats();
      results.push({ callers, warm: warmCells, bareFork, cold, whyCold });
    } finally {
      await warm.stop();
      fork.stop();
    }
  }
  return results;
}
