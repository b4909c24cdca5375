// How many calls a second many callers get, and how long each then waits.
import { summaryOf } from '../statistics.mjs';
import { withConfinement } from './confinement.mjs';
import { bare, leastConfined, ofJail, TASKS, warmJail } from './contenders.mjs';
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

/** Who presses, one after the other; warm last. */
async function pressed(python, task, confinement) {
  return {
    bareFork: await bare(python, task, 'fork'),
    ...(confinement && { leastConfined: await leastConfined(python, task, confinement) }),
    warm: ofJail('warm', await warmJail(python, task)),
  };
}

/** @returns for each number of callers, what warm cells, a bare fork and the least confined one sustain */
export async function measureThroughput({ python, seconds, onRound }) {
  const [task] = TASKS;
  return withConfinement(async (confinement) => {
    const results = [];
    for (const callers of CALLERS) {
      onRound(`${callers} callers`);
      // New ones each time: nobody inherits the other's full queue.
      const contenders = await pressed(python, task, confinement);
      const figures = { callers };
      try {
        for (const [key, contender] of Object.entries(contenders)) {
          figures[key] = await press(contender, task.code, callers, seconds);
        }
        const { cold, whyCold } = contenders.warm.jail.stats();
        results.push({ ...figures, cold, whyCold });
      } finally {
        await Promise.all(Object.values(contenders).map((contender) => contender.stop()));
      }
    }
    return results;
  });
}
