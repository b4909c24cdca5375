// What ordinary programs for Node ask of the kernel.
import { createHash, randomBytes, scrypt } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  copyFile,
} from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { availableParallelism, freemem } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createGzip, gunzipSync } from 'node:zlib';

const folder = await mkdtemp('tmp/node-');
await writeFile(`${folder}/one`, 'text'.repeat(1000));
await copyFile(`${folder}/one`, `${folder}/two`);
await rename(`${folder}/two`, `${folder}/three`);
await mkdir(`${folder}/a/b`, { recursive: true });
await pipeline(
  createReadStream(`${folder}/three`),
  createGzip(),
  createWriteStream(`${folder}/four`),
);
const file = await open(`${folder}/three`, 'r+');
await file.truncate(10);
await file.sync();
await file.close();
console.log(
  'files',
  (await stat(`${folder}/three`)).size,
  gunzipSync(await readFile(`${folder}/four`)).length,
);

const counter = new Int32Array(new SharedArrayBuffer(4));
const work = `
  const { workerData, parentPort } = require('node:worker_threads');
  for (let i = 0; i < 1000; i++) Atomics.add(workerData, 0, 1);
  Atomics.notify(workerData, 0);
  parentPort.postMessage('done');
`;
const workers = [1, 2, 3].map(() => new Worker(work, { eval: true, workerData: counter }));
const done = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)));
console.log('workers', await Promise.all(done), counter[0]);
await Promise.all(workers.map((worker) => worker.terminate()));

const server = createServer((socket) => socket.end('over a socket'));
await new Promise((resolve) => server.listen(`${folder}/socket`, resolve));
let received = '';
for await (const chunk of createConnection(`${folder}/socket`)) received += chunk;
server.close();
console.log('received', received);

const key = await promisify(scrypt)('password', 'salt', 32);
console.log(
  'crypto',
  key.length,
  randomBytes(8).length,
  createHash('sha256').update('x').digest('hex').slice(0, 8),
);
await sleep(1);
const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
console.log(
  'host',
  availableParallelism() > 0,
  freemem() > 0,
  await WebAssembly.instantiate(bytes).then(() => 'wasm'),
);
let text = '';
for (let i = 0; i < 200000; i++) text += String.fromCharCode(97 + (i % 26));
console.log('text', text.length, JSON.parse(JSON.stringify([...text.slice(0, 1000)])).length);
await rm(folder, { recursive: true });
