// Far more calls at once than any host can run: every one that is taken is right, the others are told at once, and the
// server has its memory and its event loop to itself.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

jest.setTimeout(240_000);

// A process of its own: what it holds and how long its turns take is told of nothing else.
const PACKAGE = JSON.stringify(join(__dirname, '..', '..'));

interface Told {
  right: number;
  errors: Record<string, number>;
  grownMiB: number;
  longestTurnMs: number;
  /** What 2,000 of the engine's own objects of the kind take at the moment, in one turn. */
  referenceMs: number;
  settledBeforeNextTurn: number;
}

const SCRIPT = `
const { readFileSync } = require('node:fs');
const { createJail } = require(${PACKAGE});
const [count, way, maxQueue] = JSON.parse(process.argv[1]);
const limits = { realtime: 60, cpu: 10 };
const mebibytes = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]) / 1024;
// Of this thread alone, by the scheduler: what others do on the machine does not count.
const cpuMs = () => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
(async () => {
  const jail = createJail({ limits, maxQueue, commands: { echo: '/bin/echo' } });
  jail.configure('python', { bin: 'python3', warm: { memoryReserve: 0 } });
  const call = way === 'warm'
    ? async (n) => { const globals = { n }; await jail.safeExec('m = n + 1', globals); return globals.m === n + 1; }
    : async (n) => (await jail.jailCode('echo', { argv: [String(n)] })).stdout.toString() === n + '\\n';
  await jail.warmUp();
  for (let n = 0; n < 20; n += 1) await call(n);
  const begun = cpuMs();
  const kept = [];
  for (let n = 0; n < 2000; n += 1) {
    const { signal } = new AbortController();
    signal.addEventListener('abort', () => kept.push(n));
    kept.push(signal, new Promise(() => undefined), new Map([[n, { n }]]));
  }
  const referenceMs = cpuMs() - begun;
  const before = mebibytes();
  const told = { right: 0, errors: {}, grownMiB: 0, longestTurnMs: 0, referenceMs, settledBeforeNextTurn: 0 };
  let last = cpuMs();
  const watch = setInterval(() => {
    const at = cpuMs();
    told.longestTurnMs = Math.max(told.longestTurnMs, at - last);
    last = cpuMs();
    told.grownMiB = Math.max(told.grownMiB, mebibytes() - before);
  }, 1);
  let settled = 0;
  const calls = Array.from({ length: count }, (_, n) => call(n).then(
    (right) => { settled += 1; told.right += right ? 1 : 0; },
    ({ code }) => { settled += 1; told.errors[code] = (told.errors[code] ?? 0) + 1; },
  ));
  await new Promise(setImmediate);
  told.settledBeforeNextTurn = settled;
  await Promise.all(calls);
  clearInterval(watch);
  await jail.close();
  console.log(JSON.stringify(told));
})();
`;

async function overload(count: number, way: 'cold' | 'warm', maxQueue = 10_000): Promise<Told> {
  const child = spawn(process.execPath, ['-e', SCRIPT, JSON.stringify([count, way, maxQueue])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(said) as Told;
}

it.each(['cold', 'warm'] as const)('answers two thousand calls at once, %s', async (way) => {
  const told = await overload(2000, way);
  expect(told).toMatchObject({ right: 2000, errors: {} });
  expect(told.grownMiB).toBeLessThan(100);
  // A third of it on a machine with nothing else to do; where others are busy the same work takes several times as long.
  expect(told.longestTurnMs).toBeLessThan(Math.max(150, 6 * told.referenceMs));
});

it('refuses at once what is over its queue, and answers the others', async () => {
  const { right, errors, settledBeforeNextTurn } = await overload(20_000, 'warm', 1000);
  const refused = errors['ERR_CODEJAIL_BUSY'] ?? 0;
  expect(Object.keys(errors)).toEqual(['ERR_CODEJAIL_BUSY']);
  expect(right + refused).toBe(20_000);
  expect(right).toBeGreaterThan(1000);
  // None of them waited for anything.
  expect(settledBeforeNextTurn).toBe(refused);
});
