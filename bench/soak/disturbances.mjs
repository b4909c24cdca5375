// What happens beside the calls: worker threads that end while theirs run, templates that are killed, and other servers
// that are killed. Each returns what it has left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { leftOf, templates } from './traces.mjs';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));

/** Pools of uids of their own, so that what they leave is known for theirs. */
export const WORKER_POOL = { first: 1_960_000_000, count: 1024 };
export const SERVER_POOL = { first: 1_970_000_000, count: 1024 };

async function endWorker() {
  const worker = new Worker(SERVER, { workerData: WORKER_POOL.first, stdout: true });
  const failed = [];
  worker.on('error', (error) => failed.push(`worker: ${error.message}`));
  await sleep(Math.random() * 6000);
  await worker.terminate();
  return failed;
}

async function killTemplate() {
  for (const process_ of templates()) {
    try {
      process.kill(Number(process_), 'SIGKILL');
    } catch (error) {
      // It has ended by itself meanwhile.
      if (error.code !== 'ESRCH') throw error;
    }
  }
  return [];
}

async function killServer() {
  const server = spawn(process.execPath, [SERVER, String(SERVER_POOL.first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  // Before it is ready too.
  await Promise.race([sleep(Math.random() * 8000), ended]);
  const endedItself = server.exitCode !== null;
  server.kill('SIGKILL');
  await ended;
  // An ordinary user's jails have its own uid: what is left of theirs shows at the end.
  const left = await leftOf(SERVER_POOL);
  return [
    ...(endedItself ? [`another server has ended by itself, with ${server.exitCode}`] : []),
    ...left.map((process_) => `of a killed server: process ${process_}`),
  ];
}

export const disturbances = [
  { name: 'worker threads ended', everyMs: 3000, act: endWorker },
  { name: 'templates killed', everyMs: 7000, act: killTemplate },
  { name: 'servers killed', everyMs: 4000, act: killServer },
];
