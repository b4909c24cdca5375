// Core suites on arm64: what `npm run prebuilds` makes for it, in a machine that QEMU emulates. Prints what each run has
// passed, and as the last line `N passed, N failed`.
//   --seconds N   the time limit
//   WORD…         a shell command to run there instead, as root
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { main, root, ScriptError, step } from './console.mjs';
import { arm64Machine } from './machine/arm64.mjs';
import { runInMachine } from './machine/boot.mjs';
import { requirePackages } from './machine/packages.mjs';
import { readReports, summarize } from './machine/reports.mjs';
import { binaryOf, buildBinaries, compileFor } from './prebuilds/binaries.mjs';
import { makePlan } from './prebuilds/plan.mjs';
import { isStale, markBuilt, sourcesOf } from './stale.mjs';

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '7200' } },
  allowPositionals: true,
});

const PLATFORM = { cpu: 'arm64', libc: 'glibc' };
const FILTER = {
  file: 'filter',
  kind: 'program',
  sources: [
    'test/native/filter.cc',
    ...['seccomp', 'seccomp_checks', 'seccomp_rules', 'spec', 'step'].map(
      (name) => `native/core/${name}.cc`,
    ),
  ],
  includes: ['native'],
  ...{ defines: [], compile: ['-std=c++17'], link: [] },
};
const filterFolder = join(root, 'build-prebuilds/out/linux-arm64-test');

async function buildForIt() {
  if (isStale('ts')) {
    await build('ts');
  }
  if (isStale('arm64')) {
    const sources = sourcesOf('arm64');
    await buildBinaries([PLATFORM]);
    await compileFor(
      { cpu: 'arm64', libc: 'static' },
      { targets: [FILTER], directory: root, folder: 'linux-arm64-test', out: filterFolder },
    );
    markBuilt('arm64', sources);
  }
  return makePlan().map((target) => binaryOf(target, PLATFORM));
}

async function test(machine) {
  const options = {
    seconds: Number(values.seconds),
    onOutput: (chunk) => process.stdout.write(chunk),
  };
  if (positionals.length > 0) {
    const { status } = await runInMachine(machine, positionals.join(' '), options);
    process.exitCode = status;
    return;
  }
  try {
    const { status, inspected } = await step('testing on arm64, in a virtual machine', async () =>
      runInMachine(machine, 'exec /srv/node scripts/machine/lanes.mjs /codejail-machine arm64', {
        ...options,
        inspect: readReports,
      }),
    );
    summarize('arm64', status, inspected);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    process.stderr.write(`${error.message}\n`);
    summarize('arm64', 1, error.inspected ?? []);
  }
}

await main(async () => {
  requirePackages('arm64');
  await test(await arm64Machine(await buildForIt(), join(filterFolder, 'filter')));
});
