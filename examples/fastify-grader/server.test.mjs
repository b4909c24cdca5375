// The server as clients, an orchestrator and a crowd see it. `node --test`
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { createJail } from 'codejail';
import { buildServer } from './server.mjs';

const RIGHT = 'def digit_sum(n): return sum(map(int, str(abs(n))))';
const SLEEPS = 'import time\ndef digit_sum(n): time.sleep(60)';
const submission = (source, student = 'ada') => ({ exercise: 'digit-sum', student, source });

/** Starts a server in this process. */
async function start(options) {
  const jail = createJail({ commands: { python: { bin: 'python3', warm: true } }, ...options });
  const server = buildServer(jail);
  const base = await server.app.listen({ port: 0, host: '127.0.0.1' });
  return { jail, base, ...server };
}

const post = (base, body) =>
  fetch(`${base}/grade`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function until(condition, what) {
  for (let tries = 0; !(await condition()); tries += 1) {
    assert.ok(tries < 600, `it never came that ${what}`);
    await sleep(50);
  }
}

describe('a server', () => {
  let server;
  before(async () => {
    server = await start({ maxRunning: 2, maxQueue: 4 });
  });
  after(async () => server.drain(0));

  test('is not ready before its jails are proved', async () => {
    assert.equal((await fetch(`${server.base}/ready`)).status, 503);
    assert.equal((await fetch(`${server.base}/live`)).status, 200);
    await server.prepare();
    assert.equal((await fetch(`${server.base}/ready`)).status, 200);
  });

  test('grades', async () => {
    const grades = {
      [RIGHT]: { points: 3, of: 3, reason: null },
      'def digit_sum(n): return 10': { points: 1, of: 3, reason: 'wrong answer' },
      'def digit_sum(n): return open("/etc/shadow")': {
        ...{ points: 0, of: 3 },
        reason: "FileNotFoundError: [Errno 2] No such file or directory: '/etc/shadow'",
      },
    };
    for (const [source, grade] of Object.entries(grades)) {
      const response = await post(server.base, submission(source));
      assert.deepEqual([response.status, await response.json()], [200, grade]);
    }
  });

  test('says of one that never ends which limit it met', async () => {
    const endless = 'def digit_sum(n):\n  if n == 1234:\n    while True: pass\n  return -n';
    const { points, reason } = await (await post(server.base, submission(endless))).json();
    assert.equal(points, 1);
    // On a busy machine its time is over before it has had its second of a processor.
    assert.match(reason, /^(cpu|time)-limit$/);
  });

  test('refuses what is no submission', async () => {
    const response = await post(server.base, { ...submission(RIGHT), exercise: 'none' });
    assert.equal(response.status, 400);
  });

  test('ends the jail of a client that has gone', async () => {
    const body = JSON.stringify(submission(SLEEPS));
    const sent = request(`${server.base}/grade`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    sent.on('error', () => undefined);
    sent.end(body);
    await until(() => server.jail.stats().queue.running === 1, 'the call runs');
    sent.destroy();
    await until(() => server.jail.stats().queue.running === 0, 'the call has ended');
    assert.equal(server.jail.stats().outcomes.rejected, 1);
  });

  test('gives a crowd right answers, or 503 with Retry-After, and nothing else', async () => {
    const seen = { 200: 0, 503: 0 };
    const wrong = [];
    await autocannon({
      url: `${server.base}/grade`,
      connections: 24,
      amount: 240,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(submission(RIGHT)),
      setupClient: (client) => {
        let status;
        let headers;
        client.on('headers', ({ statusCode, headers: list }) => {
          status = statusCode;
          headers = list.map((each) => String(each).toLowerCase());
        });
        client.on('body', (body) => {
          seen[status] = (seen[status] ?? 0) + 1;
          const isRight =
            status === 200
              ? String(body) === '{"points":3,"of":3,"reason":null}'
              : status === 503 &&
                Number(headers[headers.indexOf('retry-after') + 1]) >= 1 &&
                String(body).includes('busy');
          if (!isRight) wrong.push(`${status} ${headers.join(' ')} ${body}`);
        });
      },
    });
    assert.deepEqual(wrong.slice(0, 3), []);
    assert.ok(seen[200] > 0 && seen[503] > 0, JSON.stringify(seen));
    assert.equal(seen[200] + seen[503], 240);
    const { running, waiting, refused } = server.jail.stats().queue;
    assert.deepEqual([running, waiting, refused['queue-full']], [0, 0, seen[503]]);
    const metrics = await (await fetch(`${server.base}/metrics`)).text();
    assert.match(
      metrics,
      new RegExp(
        `codejail_queue_refused_total\\{jail="grader",reason="queue-full"\\} ${seen[503]}\n`,
      ),
    );
    assert.match(metrics, /codejail_call_duration_seconds_count\{.*outcome="exited"\} \d+/);
    assert.match(metrics, /process_cpu_user_seconds_total/);
  });
});

describe('a crowd that the queue has room for', () => {
  test('is answered, each rightly', async () => {
    const server = await start({ maxQueue: 1000 });
    try {
      await server.prepare();
      const result = await autocannon({
        url: `${server.base}/grade`,
        connections: 8,
        amount: 32,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(submission(RIGHT)),
        expectBody: '{"points":3,"of":3,"reason":null}',
        timeout: 60,
      });
      const { non2xx, mismatches, errors } = result;
      assert.deepEqual([result['2xx'], non2xx, mismatches, errors], [32, 0, 0, 0]);
    } finally {
      await server.drain(0);
    }
  });
});

describe('the process', () => {
  test('drains on SIGTERM: what runs is answered, what comes is refused, and it ends well', async () => {
    const child = spawn(process.execPath, ['main.mjs'], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    let base;
    const log = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(JSON.parse(line));
      base ??= /http:\S+/.exec(log.at(-1).msg)?.[0];
    });
    try {
      await until(() => base !== undefined, 'it listens');
      await until(async () => (await fetch(`${base}/ready`)).ok, 'it is ready');
      const slow =
        'import time\ndef digit_sum(n):\n  time.sleep(0.7)\n  return sum(map(int, str(abs(n))))';
      const running = post(base, submission(slow));
      await until(
        () => log.some(({ slug }) => slug?.endsWith(' ada')),
        'the jail tells of its run',
      );
      const toldAt = performance.now();
      child.kill('SIGTERM');
      await until(() => log.some(({ msg }) => msg === 'SIGTERM: draining'), 'it drains');
      const late = await post(base, submission(RIGHT)).catch(({ cause }) => cause.code);
      assert.ok(late === 'ECONNREFUSED' || late === 'ECONNRESET' || late.status === 503, late);
      const response = await running;
      assert.deepEqual(
        [response.status, await response.json()],
        [200, { points: 3, of: 3, reason: null }],
      );
      assert.deepEqual(await exit, [0, null]);
      // As long as an orchestrator waits.
      assert.ok(performance.now() - toldAt < 30_000);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
