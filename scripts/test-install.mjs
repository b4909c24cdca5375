// Proves that the packed packages work where a user installs them: in empty projects, from a registry of the tarballs alone,
// without a compiler, without scripts, with a node_modules that can't be written. Prints each case as held or failed, and as
// the last line `N passed, N failed`.
//   --quick     what needs nothing downloaded but TypeScript: what CI tries
//   --built     the binaries of build/ instead of those of `npm run prebuilds`
//   WORD…       the cases whose title has one of these
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { main, root, run, ScriptError } from './console.mjs';
import { cases } from './install/cases.mjs';
import { CaseError, LINKED_TOOLS, mounts, Project } from './install/projects.mjs';
import { serveRegistry } from './install/registry.mjs';
import { layMain, layPlatform, pack } from './prebuilds/packages.mjs';
import { isStale } from './stale.mjs';

const require = createRequire(import.meta.url);

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

function chosen() {
  const named = ({ title }) =>
    positionals.length === 0 ||
    positionals.some((word) => title.toLowerCase().includes(word.toLowerCase()));
  return cases.filter((each) => named(each) && (!values.quick || each.quick === true));
}

/** The tarballs: of `npm run prebuilds`, or of what is built here, and of what the main package depends on. */
async function packEverything(target) {
  mkdirSync(target, { recursive: true });
  const packages = join(target, '..', 'packages');
  if (values.built) {
    for (const part of ['native', 'ts']) {
      if (isStale(part)) await build(part);
    }
    const { BINARIES } = require('../dist/native/platforms.js');
    const { libc } = require('../dist/native/libc.js');
    const binaries = Object.values(BINARIES).map((name) => [
      name,
      join(root, 'build/Release', name),
    ]);
    layPlatform(
      join(packages, 'platform'),
      { cpu: process.arch, libc: libc() },
      Object.fromEntries(binaries),
    );
    layMain(join(packages, 'codejail'));
    await pack(join(packages, 'platform'), target);
    await pack(join(packages, 'codejail'), target);
  } else {
    const tarballs = join(root, 'prebuilds');
    const names = readdirSync(tarballs).filter((name) => name.endsWith('.tgz'));
    if (names.length === 0)
      throw new ScriptError('there are no tarballs: npm run prebuilds, or --built');
    for (const name of names) await run('cp', [join(tarballs, name), target]);
  }
  await packStandIns(packages, target);
  const { dependencies } = require('../package.json');
  for (const name of Object.keys(dependencies)) {
    await pack(join(root, 'node_modules', name), target);
  }
}

/** Yarn asks for the packages of every platform, also those that it leaves out: what is not built is empty here. */
async function packStandIns(packages, target) {
  const { PLATFORMS } = require('../dist/native/platforms.js');
  const there = readdirSync(target);
  for (const { cpu, libc } of PLATFORMS) {
    if (!there.some((name) => name.startsWith(`codejail-linux-${cpu}-${libc}-`))) {
      const directory = join(packages, `stand-in-${cpu}-${libc}`);
      layPlatform(directory, { cpu, libc }, {});
      await pack(directory, target);
    }
  }
}

const install = (directory, packages) =>
  run('npm', [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    directory,
    ...packages,
  ]);

/** Above the projects, where they find them; what the clone has too is a link to that. */
async function installTools(home, tools) {
  const missing = [];
  for (const tool of tools) {
    const name = tool.slice(0, tool.lastIndexOf('@'));
    if (existsSync(join(root, 'node_modules', name))) {
      const link = join(home, LINKED_TOOLS, name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), link);
    } else {
      missing.push(tool);
    }
  }
  if (missing.length > 0) await install(home, missing);
}

/** Node of another version; a folder for each, since npm has one version of a package in a folder. */
async function nodeOf(home, version) {
  const directory = join(home, 'nodes', String(version));
  await install(directory, [`node-linux-${process.arch}@${version}`]);
  return join(directory, `node_modules/node-linux-${process.arch}/bin/node`);
}

async function tryCase(each, number, home, registry, mainTarball) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const node = each.node === undefined ? undefined : await nodeOf(home, each.node);
    const project = new Project(home, `project-${number}`, registry);
    project.mainTarball = mainTarball;
    const note = await each.run(project, node);
    console.log(`held    ${each.title}${note === undefined ? '' : `: ${note}`} (${seconds()})`);
    return true;
  } catch (error) {
    if (!(error instanceof CaseError) && !(error instanceof ScriptError)) throw error;
    console.log(`failed  ${each.title} (${seconds()})\n${error.message}`);
    return false;
  }
}

await main(async () => {
  const home = mkdtempSync(join(tmpdir(), 'install-'));
  const tarballs = join(home, 'tarballs');
  const list = chosen();
  let passed = 0;
  let registry;
  try {
    await packEverything(tarballs);
    const mainTarball = readdirSync(tarballs).find((name) => /^codejail-\d/.test(name));
    const tools = [...new Set(list.flatMap((each) => each.tools ?? []))];
    await installTools(home, tools);
    registry = await serveRegistry(tarballs);
    if (!mounts) console.log('node_modules stays writable: nothing can be mounted here');
    for (const [number, each] of list.entries()) {
      if (await tryCase(each, number, home, registry.base, join(tarballs, mainTarball)))
        passed += 1;
    }
  } finally {
    await registry?.close();
    rmSync(home, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${list.length - passed} failed`);
  process.exitCode = passed === list.length && passed > 0 ? 0 : 1;
});
