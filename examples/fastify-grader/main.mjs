// npm start: the server as a process. PORT, HOST, MAX_RUNNING, MAX_QUEUE, ALLOW_MISSING.
import { createJail } from 'codejail';
import pino from 'pino';
import { buildServer } from './server.mjs';

const {
  PORT = '3000',
  HOST = '127.0.0.1',
  MAX_RUNNING,
  MAX_QUEUE = '200',
  ALLOW_MISSING,
} = process.env;
// An orchestrator kills after 30 s, unless it is told otherwise.
const DRAIN_MS = 20_000;

const allowMissing = ALLOW_MISSING?.split(',');
const logger = pino();
const jail = createJail({
  commands: { python: { bin: 'python3', warm: true } },
  maxRunning: MAX_RUNNING === undefined ? undefined : Number(MAX_RUNNING),
  maxQueue: Number(MAX_QUEUE),
  allowMissing,
  logger: logger.child({ part: 'jail' }),
});
const { app, prepare, drain } = buildServer(jail, { loggerInstance: logger, allowMissing });

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    logger.info(`${signal}: draining`);
    drain(DRAIN_MS).catch((error) => {
      logger.error(error);
      process.exitCode = 1;
    });
  });
}

// It answers at once that it lives, and that it is not ready yet.
await app.listen({ port: Number(PORT), host: HOST });
try {
  await prepare();
} catch (error) {
  logger.fatal(error);
  process.exitCode = 1;
  await drain(0);
}
