// Workers as processes, over a real Redis. `node --test`
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';
import { Grades } from './grades.mjs';
import { connect, jobOptions, QUEUE } from './queue.mjs';
import { startRedis } from './redis.mjs';

const SUM = 'import sys\nprint(sum(map(int, sys.stdin.read().split())))';
const cases = [
  { input: '1 2 3', expected: '6' },
  { input: '-5 5', expected: '0' },
];
// Never so long without its processor, even on a busy machine.
const LOCK_MS = '8000';

let redis;
let connections;
let queue;
let events;
let progress = [];
const workers = new Set();

before(async () => {
  redis = await startRedis();
  process.env.REDIS_URL = redis.url;
  // BullMQ closes none that it has not made.
  connections = [connect(), connect()];
  queue = new Queue(QUEUE, { connection: connections[0] });
  events = new QueueEvents(QUEUE, { connection: connections[1] });
  await events.waitUntilReady();
  events.on('progress', ({ jobId, data }) => progress.push({ id: jobId, ...data }));
});

afterEach(async () => {
  await Promise.all([...workers].map((worker) => worker.stop()));
  progress = [];
});

after(async () => {
  await events.close();
  await queue.close();
  for (const connection of connections) connection.disconnect();
  await redis.stop();
});

/** Starts a worker; resolves when it takes jobs. */
async function startWorker() {
  const child = spawn(process.execPath, ['worker.mjs'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, LOCK_MS },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  assert.equal(line, 'ready');
  const worker = {
    pid: child.pid,
    kill: async () => {
      workers.delete(worker);
      child.kill('SIGKILL');
      await exit;
    },
    stop: async () => {
      workers.delete(worker);
      child.kill('SIGTERM');
      assert.deepEqual(await exit, [0, null]);
    },
  };
  workers.add(worker);
  return worker;
}

const submit = (id, source) => queue.add('grade', { source, cases }, jobOptions(id));
const graded = (job) => job.waitUntilFinished(events, 200_000);

async function until(condition, what) {
  for (let tries = 0; !condition(); tries += 1) {
    assert.ok(tries < 600, `it never came that ${what}`);
    await sleep(50);
  }
}

/** The processes that a process has started, and theirs: id and start time, which tells one from a later one of that id. */
function descendants(ancestor) {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // What follows the name, in which anything may stand: state, parent, … start time.
        const [, parent, ...rest] = readFileSync(`/proc/${pid}/stat`, 'latin1')
          .split(/\) (?!.*\) )/)[1]
          .split(' ');
        return [{ pid: Number(pid), parent: Number(parent), started: rest[17] }];
      } catch {
        return [];
      }
    });
  const below = (parent) =>
    processes
      .filter((each) => each.parent === parent)
      .flatMap(({ pid, started }) => [`${pid} ${started}`, ...below(pid)]);
  return below(ancestor);
}

test('grades, and tells of each case as it is done', async () => {
  await startWorker();
  const job = await submit('right', SUM);
  assert.deepEqual(await graded(job), { points: 2, verdicts: ['right', 'right'] });
  assert.deepEqual(progress, [
    { id: 'right', case: 0, verdict: 'right' },
    { id: 'right', case: 1, verdict: 'right' },
  ]);
});

test('a program that fails is graded once, not tried again', async () => {
  await startWorker();
  const job = await submit('endless', 'while True: pass');
  const { points, verdicts } = await graded(job);
  assert.equal(points, 0);
  // On a busy machine its time is over before it has had its second of a processor.
  assert.match(verdicts.join(' '), /^(cpu|time)-limit (cpu|time)-limit$/);
  assert.equal(progress.length, 2);
  const crashed = await submit('crashes', '1 / 0');
  assert.deepEqual((await graded(crashed)).verdicts, ['crashed', 'crashed']);
});

test('a submission that is sent again is not graded again', async () => {
  await startWorker();
  await graded(await submit('twice', SUM));
  await graded(await submit('twice', 'print("another text under the same id")'));
  await sleep(500);
  assert.equal(progress.length, 2);
});

test('a grade that was recorded by a worker that was lost after it counts', async () => {
  const recorded = { points: 1, verdicts: ['right', 'wrong'] };
  await new Grades(connections[0]).record('recorded', recorded);
  await startWorker();
  assert.deepEqual(await graded(await submit('recorded', SUM)), recorded);
  assert.deepEqual(progress, []);
  // Nor does a second one change it, of two workers that had the same job.
  assert.deepEqual(await new Grades(connections[0]).record('recorded', { points: 2 }), recorded);
});

test('what a killed worker was at is graded by another, and nothing of its jail is left', async () => {
  const killed = await startWorker();
  // Its first case is done at once, and it is killed while the second one runs.
  const waits = `import sys, time
text = sys.stdin.read()
if text.startswith('-5'): time.sleep(5)
print(sum(map(int, text.split())))`;
  const job = await submit('killed', waits);
  await until(() => progress.length === 1, 'its first case is done');
  const started = descendants(killed.pid);
  assert.ok(started.length > 0);
  await killed.kill();
  await until(() => {
    const now = descendants(1);
    return started.every((each) => !now.includes(each));
  }, 'nothing of it is left');
  await startWorker();
  assert.deepEqual(await graded(job), { points: 2, verdicts: ['right', 'right'] });
  // The first case, by each of them; the second by one.
  assert.deepEqual(
    progress.map((done) => done.case),
    [0, 0, 1],
  );
  assert.equal((await queue.getJob('killed')).stalledCounter, 1);
});
