// test/hosts/denials.py beside a service of the host's, and what its attempts came to. As a program, without a jail:
// `node denials.cjs`, where each has to get through, or it shows nothing in one.
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const { once } = require('node:events');
const { chmodSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const HOME = '/mnt/home';
const TESTS = join(__dirname, '..', '..', 'test', 'hosts');

/**
 * @param run runs Python code with arguments; resolves to its `stdout`, `stderr`, and `status`
 * @returns the attempts: `guarantee`, `attempt`, `held`, `seen`
 */
async function denials(run) {
  // Hosts share their network, and where they may write.
  const word = randomUUID();
  const file = join(HOME, word);
  writeFileSync(file, 'x');
  chmodSync(file, 0o666);
  const names = [`codejail-${word}`, `${file}.socket`];
  const service = spawn('python3', [join(TESTS, 'host_service.py'), ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    // Also at its end, with nothing to read.
    await once(service.stdout, 'readable');
    if (service.stdout.read() === null) {
      throw new Error('the service of the host did not start');
    }
    const { stdout, stderr, status } = await run(
      readFileSync(join(TESTS, 'denials.py'), 'utf8'),
      [process.pid, file, ...names].map(String),
    );
    const found = stdout
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [guarantee, attempt, seen] = JSON.parse(line);
        return { guarantee, attempt, held: /^E[A-Z]+$/.test(seen), seen };
      });
    if (status !== 0) {
      const seen = `status ${status}: ${stderr.toString().slice(-500)}`;
      found.push({ guarantee: 'output', attempt: 'end the attempts early', held: false, seen });
    }
    return found;
  } finally {
    service.kill('SIGKILL');
  }
}

module.exports = { denials };

if (require.main === module) {
  const unconfined = (code, argv) => spawnSync('python3', ['-c', code, ...argv]);
  void denials(async (code, argv) => unconfined(code, argv)).then((found) => {
    console.log(JSON.stringify(found));
  });
}
