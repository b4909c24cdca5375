// Many callers for a long time, good ones and hostile ones, while worker threads end, templates are killed and other
// servers are killed. Fails where a result is wrong, a call is lost, something is left, or memory or descriptors grow.
// The last line is `N passed, N failed`.
//   --minutes N   30 by default
//   --callers N   64 by default
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createJail } from '../../dist/index.mjs';
import { disturbances, SERVER_POOL, WORKER_POOL } from './disturbances.mjs';
import { programs } from './programs.mjs';
import { callsTable, verdictsTable } from './table.mjs';
import { descriptorCount, leftSince, traces } from './traces.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    callers: { type: 'string', default: '64' },
  },
});
const milliseconds = Number(values.minutes) * 60_000;
const callers = Number(values.callers);

const POOL = { first: 1_950_000_000, count: 4096 };
const POOLS = [POOL, WORKER_POOL, SERVER_POOL];
// The longest limit of a call's time, and what it may have waited.
const PATIENCE_MS = 180_000;
// Of the allocator's own doing; what each call left would be more.
const MEMORY_SLACK_BYTES = 48 * 1024 * 1024;
// Node opens a few of its own when it likes; those that jails leave are many.
const DESCRIPTOR_SLACK = 4;
const RESOLUTION_MS = 10;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const say = (text) => process.stdout.write(`${text}\n`);

/** Counts of each kind of call, and what was wrong. */
class Ledger {
  kinds = new Map(programs.map(({ name }) => [name, { calls: 0, wrong: 0, ms: 0 }]));
  problems = new Map();
  open = new Map();

  note(name, problem) {
    const key = `${name}: ${problem.replaceAll(/\d{3,}/g, '#')}`;
    const count = (this.problems.get(key) ?? 0) + 1;
    this.problems.set(key, count);
    if (count === 1) {
      process.stderr.write(`${key}\n`);
    }
  }

  async call({ name, run }, ...args) {
    const kind = this.kinds.get(name);
    const start = performance.now();
    const id = Symbol(name);
    this.open.set(id, `${name}, ${args[1]}`);
    try {
      await run(...args);
    } catch (error) {
      kind.wrong += 1;
      this.note(name, `${error.code ?? error.name}: ${error.message}`);
    }
    this.open.delete(id);
    kind.calls += 1;
    kind.ms += performance.now() - start;
  }

  get wrong() {
    return [...this.kinds.values()].reduce((sum, { wrong }) => sum + wrong, 0);
  }

  get calls() {
    return [...this.kinds.values()].reduce((sum, { calls }) => sum + calls, 0);
  }
}

const bag = programs.flatMap((program) => Array.from({ length: program.weight }, () => program));
const pick = () => bag[Math.floor(Math.random() * bag.length)];

/** Has `action` done again and again until `signal`, the next time `everyMs` after the last began at the earliest. */
async function repeat({ everyMs, act }, signal, note) {
  let times = 0;
  while (!signal.aborted) {
    const start = performance.now();
    for (const problem of await act()) {
      note(problem);
    }
    times += 1;
    await sleep(Math.max(0, everyMs - (performance.now() - start)), undefined, { signal }).catch(
      () => undefined,
    );
  }
  return times;
}

/** Calls for so long; resolves when all have settled, or when those that have not are given up for lost. */
async function callFor(duration, jail, folder, ledger) {
  const until = performance.now() + duration;
  const caller = async () => {
    while (performance.now() < until) {
      await ledger.call(pick(), jail, Math.random() < 0.6 ? 'warm' : 'cold', folder);
    }
  };
  const all = Promise.all(Array.from({ length: callers }, caller));
  await Promise.race([all, sleep(duration + PATIENCE_MS, undefined, { ref: false })]);
}

async function memoryAtRest() {
  // Twice: what finalizers hold goes with the second.
  for (let turn = 0; turn < 2; turn += 1) {
    await sleep(1000);
    collectGarbage();
  }
  return process.memoryUsage.rss();
}

const folder = mkdtempSync(join(tmpdir(), 'soak-'));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'in.csv'), '1,2,3\n');
const ledger = new Ledger();
const before = traces(POOLS);
// A first jail, closed again: what the process keeps for all of them is there then.
const first = createJail({ commands: { cold: 'python3' }, uidPool: POOL });
await first.jailCode('cold', { code: '', limits: { realtime: 60, cpu: 10 } });
await first.close();
const descriptorsBefore = descriptorCount();

const jail = createJail({ commands: { cold: 'python3' }, uidPool: POOL });
jail.configure('warm', { bin: 'python3', warm: true });
await jail.warmUp();

const stop = new AbortController();
const memory = { peak: 0 };
let peakDescriptors = 0;
const sampler = setInterval(() => {
  memory.peak = Math.max(memory.peak, process.memoryUsage.rss());
  peakDescriptors = Math.max(peakDescriptors, descriptorCount());
  if (process.stdout.isTTY) {
    process.stdout.write(`\r${ledger.calls} calls, ${ledger.wrong} wrong \u001B[K`);
  }
}, 1000);
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();

const start = performance.now();
const running = disturbances.map(async (disturbance) => ({
  name: disturbance.name,
  times: await repeat(disturbance, stop.signal, (what) => ledger.note(disturbance.name, what)),
}));
// A fifth of it for the memory that a server of this kind takes; then it must not grow any more.
await callFor(milliseconds / 5, jail, folder, ledger);
memory.start = await memoryAtRest();
await callFor((milliseconds * 4) / 5, jail, folder, ledger);
const lost = ledger.open.size;
for (const call of ledger.open.values()) {
  ledger.note('lost', call);
}
stop.abort();
const disturbed = await Promise.all(running);
delay.disable();
const seconds = (performance.now() - start) / 1000;
memory.end = await memoryAtRest();
clearInterval(sampler);
await jail.close();
rmSync(folder, { recursive: true });
const left = await leftSince(before, POOLS);
const descriptorsAfter = descriptorCount();
for (const what of left) {
  ledger.note('left', what);
}

const loop = (value) => Math.max(0, value / 1e6 - RESOLUTION_MS);
const disturbanceProblems = [...ledger.problems.keys()].filter((key) =>
  disturbances.some(({ name }) => key.startsWith(`${name}: `)),
).length;
const verdicts = [
  { what: 'wrong', holds: ledger.wrong === 0, found: String(ledger.wrong) },
  { what: 'lost', holds: lost === 0, found: String(lost) },
  {
    what: 'left',
    holds: left.length + disturbanceProblems === 0,
    found: String(left.length + disturbanceProblems),
  },
  {
    what: 'memory, MiB',
    holds: memory.end <= memory.start + MEMORY_SLACK_BYTES,
    found: ['start', 'peak', 'end']
      .map((when) => `${when} ${(memory[when] / 2 ** 20).toFixed(0)}`)
      .join(', '),
  },
  {
    what: 'descriptors of jails',
    holds: descriptorsAfter <= descriptorsBefore + DESCRIPTOR_SLACK,
    found: `before ${descriptorsBefore}, peak ${peakDescriptors}, after ${descriptorsAfter}`,
  },
];
if (process.stdout.isTTY) {
  process.stdout.write('\r\u001B[K');
}
say(callsTable(ledger.kinds));
say(
  `${ledger.calls} calls in ${seconds.toFixed(0)} s by ${callers} callers; ` +
    disturbed.map(({ name, times }) => `${times} times ${name}`).join(', '),
);
say(
  `event loop's delay, ms: p50 ${loop(delay.percentile(50)).toFixed(1)}, ` +
    `p99 ${loop(delay.percentile(99)).toFixed(1)}, max ${loop(delay.max).toFixed(1)}`,
);
say(verdictsTable(verdicts));
for (const [problem, count] of [...ledger.problems].slice(0, 40)) {
  say(`${count} × ${problem}`);
}
const failed = verdicts.filter(({ holds }) => !holds).length;
say(`${verdicts.length - failed} passed, ${failed} failed`);
// A call that is lost would keep this process.
process.exit(failed === 0 ? 0 : 1);
