// A worker thread may be terminated in the middle of any of the addon's functions.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { native } from '../../lib/native/addon';
import { BINARIES } from '../../lib/native/platforms';

// Each is called without end, in a worker that is terminated, again and again: in a process of its own.
const PROGRAM = `
const { Worker } = require('node:worker_threads');
const load = 'const addon = require(' + JSON.stringify(process.argv[1]) + ');';
const calls = [
  'addon.uidIsFree("/nonexistent", 1)',
  'addon.lookUpUser("")',
  'addon.cgroupIsDelegated("/nonexistent")',
  'addon.unlockCgroup("/nonexistent")',
  'addon.beginCall(0, 1, 1, true, 0, head)',
];
(async () => {
  for (let round = 0; round < 8; round += 1) {
    await Promise.all(calls.map(async (call) => {
      const code = load + 'const head = new Uint8Array(80);' +
        'require("node:worker_threads").parentPort.postMessage(1); for (;;) ' + call + ';';
      const worker = new Worker(code, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, 5 * round));
      await worker.terminate();
    }));
  }
  process.stdout.write('survived');
})();
`;

it('leaves the server alive when a worker is terminated in the middle of a call of the addon', () => {
  expect(native().addon.landlockAbi()).toBeGreaterThanOrEqual(0);
  const addon = join(native().directory, BINARIES.addon);
  const { stdout, stderr, signal } = spawnSync(process.execPath, ['-e', PROGRAM, addon], {
    encoding: 'utf8',
  });
  expect({ stdout, stderr: stderr.slice(0, 500), signal }).toEqual({
    stdout: 'survived',
    stderr: '',
    signal: null,
  });
}, 120_000);
