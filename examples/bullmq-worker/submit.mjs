// npm run submit -- solution.py: queues a file and follows how it is graded, as a web server would for its client.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Queue, QueueEvents } from 'bullmq';
import { connect, jobOptions, QUEUE } from './queue.mjs';

const cases = [
  { input: '1 2 3', expected: '6' },
  { input: '-5 5', expected: '0' },
  { input: '', expected: '0' },
];

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('name a Python file that prints the sum of the numbers in its standard input');
  process.exit(64);
}
const source = await readFile(path, 'utf8');
// The same text is the same submission, however often it is sent.
const id = createHash('sha256').update(source).digest('hex');

// BullMQ closes none that it has not made.
const connections = [connect(), connect()];
const queue = new Queue(QUEUE, { connection: connections[0] });
const events = new QueueEvents(QUEUE, { connection: connections[1] });
await events.waitUntilReady();
events.on('progress', ({ jobId, data }) => {
  if (jobId === id) console.log(`case ${data.case}: ${data.verdict}`);
});
const job = await queue.add('grade', { source, cases }, jobOptions(id));
const { points, verdicts } = await job.waitUntilFinished(events, 120_000);
console.log(`${points} of ${verdicts.length}`);
await events.close();
await queue.close();
for (const connection of connections) connection.disconnect();
