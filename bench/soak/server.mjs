// Another server: makes calls for as long as it lives, which is not long. Runs as a worker thread, to be terminated, and
// as a process, to be killed: `node server.mjs`, with the first uid of its pool.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createJail } from '../../dist/index.mjs';

const first = isMainThread ? Number(process.argv[2]) : workerData;
const limits = { cpu: 10, realtime: 60 };
const jail = createJail({ commands: { cold: 'python3' }, uidPool: { first, count: 1024 }, limits });
jail.configure('warm', { bin: 'python3', warm: { size: 2 } });

async function caller(command) {
  for (;;) {
    await jail.safeExec('a = b + 1', { b: 1 }, { command });
    const code = 'import os, time\nif os.fork() == 0: os.setsid()\ntime.sleep(0.2)';
    await jail.jailCode(command, { code });
    // In a thread, all of its calls being under way or waiting counts too.
    parentPort?.postMessage('called');
  }
}

// Its template may be one of those that are killed: its calls then begin cold.
await jail.warmUp().catch((error) => {
  if (error.code !== 'ERR_CODEJAIL_SETUP') throw error;
});
process.stdout.write('ready\n');
parentPort?.postMessage('ready');
await Promise.all(['warm', 'cold', 'warm', 'cold'].map(caller));
