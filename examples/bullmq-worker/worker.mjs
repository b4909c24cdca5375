// npm start: a worker. Start as many as you like, on as many machines; Redis gives each submission to one of them.
// REDIS_URL, CONCURRENCY, LOCK_MS
import { Worker } from 'bullmq';
import { createJail } from 'codejail';
import { Grades } from './grades.mjs';
import { grade } from './grader.mjs';
import { connect, QUEUE } from './queue.mjs';

const { CONCURRENCY = '4', LOCK_MS = '30000' } = process.env;

const connection = connect();
const grades = new Grades(connection);
const jail = createJail({
  commands: { python: { bin: 'python3', warm: true } },
  // As many as the worker takes on: nothing waits here that another worker could do.
  maxRunning: Number(CONCURRENCY),
});
// A host that can't run jails takes no job.
await jail.verify('python');
await jail.warmUp('python');

/** Grades a submission, unless that has been done: by a worker that was lost before it could say so. */
async function work(job) {
  const known = await grades.find(job.id);
  if (known !== null) return known;
  const onCase = (done) => job.updateProgress(done);
  return grades.record(job.id, await grade(jail, job.data, job.id, onCase));
}

const worker = new Worker(QUEUE, work, {
  connection,
  concurrency: Number(CONCURRENCY),
  // A worker that has not renewed its lock for so long is lost: another one takes the job.
  lockDuration: Number(LOCK_MS),
  stalledInterval: Number(LOCK_MS) / 2,
  maxStalledCount: 3,
});
worker.on('error', (error) => console.error(error.message));
await worker.waitUntilReady();
console.log('ready');

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    // Takes no more, and ends what it has begun.
    await worker.close();
    await jail.close();
    await connection.quit();
  });
}
