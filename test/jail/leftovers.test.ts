// The helper that looks for what is left must be able to find it.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { leftovers, settledLeftovers, traces } from '../support/leftovers';
import { createJail } from '../support/jail';

it('finds a process and its pipes', async () => {
  const before = traces();
  const child = spawn('sleep', ['60'], { stdio: 'pipe' });
  await new Promise((resolve) => child.once('spawn', resolve));
  expect(leftovers(before)).toMatchObject({ children: [String(child.pid)] });
  expect(leftovers(before).descriptors?.length).toBeGreaterThan(0);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  expect(await settledLeftovers(before)).toEqual({});
});

it('finds a directory', () => {
  const before = traces();
  const directory = mkdtempSync('/tmp/codejail-');
  expect(leftovers(before).directories).toHaveLength(1);
  rmdirSync(directory);
});

it('finds a running jail, and nothing when its call has settled', async () => {
  await using jail = createJail({ limits: { realtime: 30 } });
  await jail.jailCode('python', { code: '' });
  const before = traces();
  const running = jail.jailCode('python', {
    code: 'print("up", flush=True); import time; time.sleep(20)',
    onStdout: () => undefined,
    limits: { realtime: 1 },
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const found = leftovers(before);
  expect(found.processes?.length).toBeGreaterThan(0);
  expect(found.descriptors?.length).toBeGreaterThan(0);
  await running;
  expect(await settledLeftovers(before)).toEqual({});
});

it('does not mistake Node’s own files for leaks', () => {
  const before = traces();
  const file = openSync('/dev/null', 'r');
  expect(leftovers(before)).toEqual({});
  closeSync(file);
});
