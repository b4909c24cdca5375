// Fuzzes the parsers of foreign bytes (test/fuzz), as many targets at a time as there are processors. What it finds in
// a target is kept in build-sanitized/fuzz. The last line is `N passed, N failed`.
//   --target NAME   this one only; may be given more than once
//   --runs N        of each target, 1,000,000 by default
//   --seconds N     each target as long as that instead
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { targets } from '../test/fuzz/targets.mjs';
import { main, root, run, ScriptError, step } from './console.mjs';
import { installed } from './toolchain.mjs';

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    runs: { type: 'string', default: '1000000' },
    seconds: { type: 'string' },
  },
});
const folder = join(root, 'build-sanitized/fuzz');

function chosen() {
  const names = values.target ?? targets.map(({ name }) => name);
  return names.map((name) => {
    const target = targets.find((other) => other.name === name);
    if (target === undefined) {
      throw new ScriptError(
        `there is no target "${name}"; there are ${targets.map((other) => other.name).join(', ')}`,
      );
    }
    return target;
  });
}

function requireClang() {
  if (!installed('clang++')) {
    throw new ScriptError(
      'clang is not installed. Install with: sudo apt-get install -y clang libclang-rt-14-dev (Debian), ' +
        'sudo dnf install -y clang compiler-rt (Fedora, RHEL), sudo apk add clang compiler-rt (Alpine)',
    );
  }
}

async function build({ name, sources }) {
  await run('clang++', [
    ...['-std=c++17', '-D_GNU_SOURCE', '-g', '-O1', '-Wall', '-Wextra'],
    ...['-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'],
    '-Inative',
    `test/fuzz/${name}.cc`,
    ...sources.map((source) => `native/${source}`),
    ...['-o', join(folder, name)],
  ]);
}

// Its own corpus first, where what it learns is kept; then ours, of small seeds and of what it once found.
function fuzz({ name }) {
  const own = join(folder, 'corpus', name);
  mkdirSync(own, { recursive: true });
  const bound =
    values.seconds === undefined ? `-runs=${values.runs}` : `-max_total_time=${values.seconds}`;
  const args = [bound, '-max_len=4096', '-timeout=10', '-print_funcs=0', '-verbosity=1'];
  const child = spawn(
    join(folder, name),
    [...args, `-artifact_prefix=${folder}/found-${name}-`, own, `test/fuzz/corpus/${name}`],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-100_000)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ name, status, output });
    });
  });
}

function tell({ name, status, output }) {
  const [, runs, seconds] = /Done (\d+) runs in (\d+) second/.exec(output) ?? [];
  const [, features] = /DONE .*ft: (\d+)/.exec(output) ?? [];
  if (status === 0 && runs !== undefined) {
    const count = Number(runs).toLocaleString('en');
    process.stdout.write(`${name}: ${count} runs in ${seconds} s, ${features} features\n`);
    return true;
  }
  const lines = output.split('\n').filter((line) => !/^#\d+/.test(line));
  process.stdout.write(`${name}: failed, status ${status}\n${lines.slice(-60).join('\n')}\n`);
  return false;
}

/** Runs `action` over the items, as many at a time as there are processors. */
async function inLanes(items, action) {
  const waiting = [...items];
  const results = [];
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      results.push(await action(item));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results;
}

await main(async () => {
  requireClang();
  const list = chosen();
  mkdirSync(folder, { recursive: true });
  await step('building the fuzz targets', async () => inLanes(list, build));
  const results = await step('fuzzing', async () =>
    inLanes(list, async (target) => tell(await fuzz(target))),
  );
  const failed = results.filter((good) => !good).length;
  process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
});
