// The binaries of platforms, built by zig in build-prebuilds/.
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, ScriptError, step } from '../console.mjs';
import { layClone } from './packages.mjs';
import { makePlan } from './plan.mjs';
import { findZig, useCache, zigFor } from './zig.mjs';

const require = createRequire(import.meta.url);
const WORK = join(root, 'build-prebuilds');

export const nameOf = ({ cpu, libc }) => `linux-${cpu}-${libc}`;

const folderOf = ({ kind }, { cpu, libc }) =>
  `linux-${cpu}-${kind === 'program' ? 'static' : libc}`;

/** Where a target of the plan is for a platform. */
export const binaryOf = (target, platform) =>
  join(WORK, 'out', folderOf(target, platform), target.file);

/** Compiles targets for a platform into a folder; their paths start from `directory`. */
export async function compileFor(platform, { targets, directory, folder, out }) {
  const { compile, CompilerError } = require('../../dist/build/compile.js');
  const { GLIBC_FLOOR } = require('../../dist/native/platforms.js');
  const zig = await findZig();
  useCache();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  try {
    const objects = join(WORK, 'objects', folder);
    await compile(zigFor(zig, platform, GLIBC_FLOOR), { targets, directory, out, objects });
  } catch (error) {
    throw error instanceof CompilerError ? new ScriptError(error.message) : error;
  }
}

/** Builds what all libcs share, the static programs, and what they don't, the libraries; each once. Resolves to the plan. */
export async function buildBinaries(platforms) {
  const directory = join(WORK, 'sources');
  layClone(directory);
  const plan = makePlan();
  const one = async (title, folder, platform, targets) =>
    step(`building for ${title}`, async () =>
      compileFor(platform, { targets, directory, folder, out: join(WORK, 'out', folder) }),
    );
  const programs = plan.filter(({ kind }) => kind === 'program');
  const libraries = plan.filter(({ kind }) => kind !== 'program');
  for (const cpu of new Set(platforms.map((platform) => platform.cpu))) {
    await one(`${cpu}, static`, `linux-${cpu}-static`, { cpu, libc: 'static' }, programs);
  }
  for (const platform of platforms) {
    await one(`${platform.cpu}, ${platform.libc}`, nameOf(platform), platform, libraries);
  }
  return plan;
}
