// Of the tests: a Redis of their own, on a socket that nobody else has.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts it; resolves to its address and a function that ends it. */
export async function startRedis() {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const socket = join(directory, 'socket');
  const words = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', directory];
  const server = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(server, 'exit');
  const failed = exit.then(([status]) => {
    throw new Error(`redis-server ended with ${status}`);
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input: server.stdout });
  const ready = new Promise((resolve) => {
    lines.on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve();
    });
  });
  await Promise.race([ready, failed]);
  const stop = async () => {
    server.kill();
    await exit;
    rmSync(directory, { recursive: true });
  };
  return { url: socket, stop };
}
