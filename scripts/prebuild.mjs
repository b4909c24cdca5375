// Makes the packages that are published, in prebuilds/: the binaries of each platform by zig, in build-prebuilds/ beside the
// build that is used, examined for what they need of a machine, and packed; and the main package. Prints a table and sizes.
//   --platform linux-x64-glibc   this one only; may be given more than once
//   --no-pack                    the binaries alone
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { build } from './build.mjs';
import { main, root, ScriptError } from './console.mjs';
import { binaryOf, buildBinaries, nameOf } from './prebuilds/binaries.mjs';
import { examine, faultsOf } from './prebuilds/examine.mjs';
import { layMain, layPlatform, pack } from './prebuilds/packages.mjs';
import { isStale } from './stale.mjs';

const require = createRequire(import.meta.url);
const TARGET = join(root, 'prebuilds');

const { values } = parseArgs({
  options: {
    platform: { type: 'string', multiple: true },
    'no-pack': { type: 'boolean', default: false },
  },
});

function chosen(platforms) {
  return (values.platform ?? platforms.map(nameOf)).map((name) => {
    const platform = platforms.find((other) => nameOf(other) === name);
    if (platform === undefined) {
      throw new ScriptError(
        `there is no platform "${name}"; there are ${platforms.map(nameOf).join(', ')}`,
      );
    }
    return platform;
  });
}

const kilobytes = (path) => `${Math.ceil(statSync(path).size / 1024)} KB`;

function tell(platforms, plan, floor) {
  const head = [
    'binary',
    'size',
    'needs',
    'PIE',
    'RELRO',
    'stack',
    'protector',
    'fortify',
    'branches',
  ];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  const faults = [];
  const mark = (holds) => (holds ? 'yes' : 'no');
  for (const platform of platforms) {
    for (const target of plan) {
      const path = binaryOf(target, platform);
      const facts = examine(path);
      const name = `${nameOf(platform)}/${target.file}`;
      faults.push(
        ...faultsOf(facts, platform, target.kind, floor).map((fault) => `${name} ${fault}`),
      );
      const isStatic = target.kind === 'program';
      const needs = isStatic
        ? 'nothing'
        : platform.libc === 'musl'
          ? 'musl'
          : `glibc ${facts.glibc}`;
      table.push([
        name,
        kilobytes(path),
        needs,
        mark(facts.isPositionIndependent),
        // musl protects it in no static program.
        !facts.relro ? 'no' : isStatic ? 'marked' : facts.bindNow ? 'full' : 'partial',
        facts.stackIsData ? 'data' : 'executable',
        // Nothing is left in a static program by which it would show.
        isStatic ? 'compiled' : mark(facts.stackProtector),
        // glibc's headers do it in C++ by gcc alone, and musl has no functions for it.
        mark(facts.fortified.length > 0),
        mark(facts.branchProtection),
      ]);
    }
  }
  console.log(table.toString());
  if (faults.length > 0) {
    throw new ScriptError(faults.join('\n'));
  }
}

async function packAll(platforms, plan) {
  const { packageName } = require('../dist/native/platforms.js');
  const tarballs = [];
  for (const platform of platforms) {
    const directory = join(TARGET, 'packages', nameOf(platform));
    layPlatform(
      directory,
      platform,
      Object.fromEntries(plan.map((target) => [target.file, binaryOf(target, platform)])),
    );
    tarballs.push([packageName(platform), await pack(directory, TARGET)]);
  }
  const directory = join(TARGET, 'packages/codejail');
  layMain(directory);
  tarballs.push(['codejail', await pack(directory, TARGET)]);
  for (const [name, path] of tarballs) {
    console.log(`${name}: ${path}, ${kilobytes(path)}`);
  }
}

await main(async () => {
  if (isStale('ts')) {
    await build('ts');
  }
  const { PLATFORMS, GLIBC_FLOOR } = require('../dist/native/platforms.js');
  const platforms = chosen(PLATFORMS);
  const plan = await buildBinaries(platforms);
  tell(platforms, plan, GLIBC_FLOOR);
  if (!values['no-pack']) {
    await packAll(platforms, plan);
  }
});
