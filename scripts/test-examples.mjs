// Runs the test of each example that has one: its packages installed by its lock, codejail being this clone. Prints how many
// tests of each passed and, as the last line, `N passed, N failed`.
//   WORD…   the examples whose name has one of these
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, root, ScriptError } from './console.mjs';
import { dependenciesAreStale } from './stale.mjs';

const folder = join(root, 'examples');
// For the slowest of them on a machine that is busy with other things.
const LONGEST_MS = 10 * 60_000;

function examples() {
  const words = process.argv.slice(2);
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'package.json')))
    .filter((name) => {
      const { scripts } = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'));
      return scripts?.test !== undefined;
    })
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
}

/** Runs a command in a folder; resolves to its status and all that it printed. */
function run(words, cwd) {
  const [program, ...args] = words;
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group: what a test leaves behind is ended with it.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LONGEST_MS);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new ScriptError(`${program}: ${error.message}`)));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status: signal ?? status, output });
    });
  });
}

async function install(directory) {
  if (!dependenciesAreStale(directory)) return;
  // What has a script that installs is not used by any example.
  const words = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, output } = await run(words, directory);
  if (status !== 0) throw new ScriptError(`${words.join(' ')}: ${status}\n${output}`);
}

const count = (output, what) =>
  Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);

/** How many tests of an example passed and failed. */
async function test(name) {
  const directory = join(folder, name);
  const start = performance.now();
  await install(directory);
  const installed = performance.now();
  const words = [process.execPath, '--test', '--test-reporter=tap'];
  const { status, output } = await run(words, directory);
  const passed = count(output, 'pass');
  // One that broke before its first test is a failure too.
  const failed = Math.max(
    count(output, 'fail') + count(output, 'cancelled'),
    status === 0 && passed > 0 ? 0 : 1,
  );
  if (failed > 0) console.log(output);
  const seconds = (from, to) => ((to - from) / 1000).toFixed(1);
  console.log(
    `${failed === 0 ? 'held  ' : 'failed'}  ${name}: ${passed} of ${passed + failed} ` +
      `(installed in ${seconds(start, installed)} s, ran ${seconds(installed, performance.now())} s)`,
  );
  return { passed, failed };
}

await main(async () => {
  const names = examples();
  if (names.length === 0) throw new ScriptError('there is no such example');
  let [passed, failed] = [0, 0];
  for (const name of names) {
    const counts = await test(name).catch((error) => {
      if (!(error instanceof ScriptError)) throw error;
      console.log(`failed  ${name}\n${error.message}`);
      return { passed: 0, failed: 1 };
    });
    passed += counts.passed;
    failed += counts.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
});
