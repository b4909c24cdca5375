// Runs the modules named as arguments, one after the other, and prints for each one line of JSON: what it printed, and the
// error that ended it. They share the default jail, whose limits and bounds are reset before each.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { format } from 'node:util';
import { pathToFileURL } from 'node:url';

const SECONDS = 60;
// Machines are slow, and shared: what a snippet says nothing of is long enough.
const UNHURRIED = { cpu: 20, realtime: 60 };
// The very object that the ES module takes its names from.
const codejail = createRequire(join(process.cwd(), 'server.js'))('codejail');
const { createJail } = codejail;
codejail.createJail = (options = {}) =>
  createJail({ ...options, limits: { ...UNHURRIED, ...options.limits } });
const limits = Object.keys(codejail.effectiveLimits());
const DEFAULT_BOUNDS = { maxRunning: null, maxQueue: null, maxWaitMs: null };

/** What the snippet before has set. */
function reset() {
  for (const name of limits) codejail.setLimit(name, UNHURRIED[name] ?? null);
  codejail.setBounds(DEFAULT_BOUNDS);
}

const { stdout } = process;
let printed = '';
const log = (...values) => {
  printed += `${format(...values)}\n`;
};
Object.assign(console, { log, info: log, error: log, warn: log });
// A snippet shows what its reader's server does; what ends this process is said below.
let fail = () => undefined;
process.on('uncaughtException', (error) => fail(error));

for (const path of process.argv.slice(2)) {
  printed = '';
  reset();
  let error = null;
  let timer;
  const failed = new Promise((_, reject) => {
    fail = reject;
    timer = setTimeout(() => reject(new Error(`not done after ${SECONDS} s`)), SECONDS * 1000);
  });
  try {
    await Promise.race([import(pathToFileURL(path).href), failed]);
  } catch (thrown) {
    error = thrown?.stack ?? String(thrown);
  }
  clearTimeout(timer);
  stdout.write(`${JSON.stringify({ path, printed, error })}\n`);
}
process.exit(0);
