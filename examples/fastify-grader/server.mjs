// The server: one route that grades, and what an orchestrator wants of it.
import { setTimeout as sleep } from 'node:timers/promises';
import { BusyError, ClosedError } from 'codejail';
import { collectMetrics } from 'codejail/prometheus';
import Fastify from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { exercises } from './exercises.mjs';
import { grade } from './grader.mjs';

const SUBMISSION = {
  type: 'object',
  required: ['exercise', 'student', 'source'],
  properties: {
    exercise: { type: 'string', enum: [...exercises.keys()] },
    student: { type: 'string', minLength: 1, maxLength: 100 },
    source: { type: 'string', maxLength: 64 * 1024 },
  },
};

/** Aborted when the client has gone before its answer: nobody waits for what is computed then. */
function signalOf(reply) {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client has gone'));
  });
  return controller.signal;
}

/** Says no: later, or elsewhere. */
function unavailable(reply, error, seconds) {
  return reply.code(503).header('retry-after', String(seconds)).send({ error: error.message });
}

function onError(error, request, reply) {
  if (error instanceof BusyError) {
    return unavailable(reply, error, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
  }
  // The server ends: whoever asks again finds another one.
  if (error instanceof ClosedError) return unavailable(reply, error, 5);
  if (error.validation !== undefined) return reply.code(400).send({ error: error.message });
  request.log.error(error);
  return reply.code(500).send({ error: 'not graded' });
}

/**
 * @param {import('codejail').Jail} jail
 * @param {import('fastify').FastifyServerOptions & { allowMissing?: string[] }} options the guarantees that `jail` has given
 *   up, and Fastify's own
 */
export function buildServer(jail, { allowMissing = [], ...options } = {}) {
  const app = Fastify({ bodyLimit: 256 * 1024, ...options });
  const register = new Registry();
  collectDefaultMetrics({ register });
  const stopMetrics = collectMetrics({ register, jails: { grader: jail } });
  let state = 'starting';

  app.setErrorHandler(onError);
  // A connection that is kept for another request would keep the server, for Fastify's 72 s.
  app.addHook('onSend', async (_request, reply) => {
    if (state === 'draining') reply.header('connection', 'close');
  });
  app.post('/grade', { schema: { body: SUBMISSION } }, async ({ body, id }, reply) => {
    const { exercise, student, source } = body;
    const call = { tenant: student, slug: `${id} ${student}`, signal: signalOf(reply) };
    return grade(jail, source, exercises.get(exercise), call);
  });
  app.get('/live', async () => ({ state }));
  app.get('/ready', async (_request, reply) =>
    reply.code(state === 'ready' ? 200 : 503).send({ state }),
  );
  app.get('/metrics', async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
  app.addHook('onClose', async () => stopMetrics());

  /** Has the jails proved, and their Python warm: only then calls are taken. */
  const prepare = async () => {
    const { missing } = await jail.verify('python');
    const names = missing
      .map(({ guarantee }) => guarantee)
      .filter((name) => !allowMissing.includes(name));
    if (names.length > 0)
      throw new Error(`missing here: ${names.join(', ')}; codejail doctor says why`);
    await jail.warmUp('python');
    state = 'ready';
  };

  /** Takes no more requests, lets those end that were taken, and after so long ends what is left of them. */
  const drain = async (timeoutMs) => {
    state = 'draining';
    const closed = app.close();
    await Promise.race([closed, sleep(timeoutMs, undefined, { ref: false })]);
    await jail.close();
    await closed;
  };
  return { app, prepare, drain };
}
