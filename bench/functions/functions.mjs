// What a call of one of the server's functions takes, seen from Python, beside a bare pipe's echo in the same run.
import { spawn } from 'node:child_process';
import { createJail } from '../../dist/index.js';
import { summaryOf } from '../statistics.mjs';
import { makeTable } from '../table.mjs';

const CALLS = 500;
const WORST_RATIO = 2;

const ASKING = `
from time import perf_counter
times = []
for number in range(${CALLS}):
    begun = perf_counter()
    if echo(number) != number:
        raise ValueError
    times.append((perf_counter() - begun) * 1000)`;

const PIPING = `
import json, os
from time import perf_counter
times = []
for number in range(${CALLS}):
    begun = perf_counter()
    os.write(4, b'%d\\n' % number)
    if int(os.read(3, 64)) != number:
        raise ValueError
    times.append((perf_counter() - begun) * 1000)
print(json.dumps(times))`;

/** @returns how long each echo of a bare pipe took, in milliseconds */
async function overPipes(python) {
  const child = spawn(python, ['-E', '-B', '-c', PIPING], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'],
  });
  const printed = [];
  child.stdout.on('data', (chunk) => printed.push(chunk));
  child.stdio[4].on('data', (chunk) => child.stdio[3].write(chunk));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return JSON.parse(Buffer.concat(printed).toString());
}

async function overJail(jail) {
  const { globals } = await jail.safeExec(ASKING, {}, { functions: { echo: (number) => number } });
  return globals.times;
}

/** @returns for each way the times of its calls */
export async function measureFunctions({ python, runs, onRound }) {
  const cold = createJail({ commands: { python } });
  const warm = createJail({ commands: { python: { bin: python, warm: true } } });
  const ways = [
    { way: 'a bare pipe', times: [], run: () => overPipes(python) },
    { way: 'a function, cold', times: [], run: () => overJail(cold) },
    { way: 'a function, warm', times: [], run: () => overJail(warm) },
  ];
  try {
    await warm.warmUp();
    for (let round = 0; round < Math.max(2, Math.ceil(runs / 4)); round += 1) {
      onRound(`functions, round ${round + 1}`);
      for (const { times, run } of ways) {
        times.push(...(await run()));
      }
    }
  } finally {
    await Promise.all([cold.close(), warm.close()]);
  }
  return ways.map(({ way, times }) => ({ way, milliseconds: summaryOf(times) }));
}

/** A table for people. */
export function functionsText([pipe, ...jailed]) {
  const table = makeTable(
    ['there and back by', 'median ms', 'p95', 'p99', '× pipe'],
    ['left', 'right', 'right', 'right', 'right'],
  );
  for (const { way, milliseconds } of [pipe, ...jailed]) {
    const { median, p95, p99 } = milliseconds;
    const times = [median, p95, p99].map((time) => time.toFixed(3));
    table.push([way, ...times, (median / pipe.milliseconds.median).toFixed(2)]);
  }
  return table.toString();
}

/** @returns {import('../targets.mjs').Verdict[]} */
export function judgeFunctions([pipe, ...jailed] = []) {
  return jailed.map(({ way, milliseconds }) => {
    const measured = milliseconds.median / pipe.milliseconds.median;
    return {
      target: `${way}: to a bare pipe's echo`,
      measured,
      atMost: WORST_RATIO,
      holds: measured <= WORST_RATIO,
    };
  });
}
