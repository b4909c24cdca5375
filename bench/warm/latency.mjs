// How long one call takes, at a call each 25 ms: everyone in turn, some calls in a row.
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { summaryOf } from '../statistics.mjs';
import { latencyContenders, TASKS } from './contenders.mjs';

const PAUSE_MS = 25;
const ANSWER = 17;
const IN_A_ROW = 10;
// After another one's calls: not what a server sees that has one of them.
const NOT_COUNTED = 2;
// Of each, before any is counted: a server is past its first calls, for which V8 has compiled nothing yet.
const FIRST_CALLS = 40;

/** Makes one call and returns its milliseconds. */
export async function timed(contender, code, globals) {
  const start = performance.now();
  const answer = await contender.run(code, globals);
  const milliseconds = performance.now() - start;
  if (answer.a !== ANSWER) {
    throw new Error(`${contender.name} answered ${JSON.stringify(answer)}`);
  }
  return milliseconds;
}

function hasModules(python, modules) {
  try {
    execFileSync(python, ['-c', modules.map((name) => `import ${name}`).join('\n')], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

async function measureTask(task, { python, runs, warmup, onRound }) {
  const { contenders, missing } = await latencyContenders(python, task);
  try {
    const times = contenders.map(() => []);
    for (let done = 0; done < runs; done += IN_A_ROW) {
      onRound(`${task.name}: ${done} of ${runs} calls of each`);
      const notCounted = done === 0 ? Math.max(warmup, FIRST_CALLS) : NOT_COUNTED;
      for (const [index, contender] of contenders.entries()) {
        for (let call = -notCounted; call < Math.min(IN_A_ROW, runs - done); call += 1) {
          await sleep(PAUSE_MS);
          const milliseconds = await timed(contender, task.code);
          if (call >= 0) {
            times[index].push(milliseconds);
          }
        }
      }
    }
    return {
      task: task.name,
      missing,
      pool: contenders[0].jail.stats(),
      figures: contenders.map(({ name }, index) => ({
        contender: name,
        milliseconds: summaryOf(times[index]),
      })),
    };
  } finally {
    await Promise.all(contenders.map(({ stop }) => stop()));
  }
}

/** @returns for each task, everyone's median, p95 and p99 */
export async function measureLatency(options) {
  const results = [];
  for (const task of TASKS) {
    if (hasModules(options.python, task.preload)) {
      results.push(await measureTask(task, options));
    }
  }
  return results;
}
