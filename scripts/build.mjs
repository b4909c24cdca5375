// Builds the native part and the TypeScript, or the parts that are named: `node scripts/build.mjs [native] [ts] [sanitized]`.
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main, root, run, ScriptError, step } from './console.mjs';
import { markBuilt, parts, sourcesOf } from './stale.mjs';
import { buildAdvice, nodeDirectory, requireToolchain } from './toolchain.mjs';

async function nodeGyp(command, ...options) {
  const directory = nodeDirectory();
  const program = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const args = [program, command, '--release', ...options];
  if (directory !== undefined) {
    args.push(`--nodedir=${directory}`);
  }
  await run(process.execPath, args, { env: { JOBS: 'max' } });
}

async function buildNative(...options) {
  requireToolchain();
  try {
    await nodeGyp('rebuild', ...options);
  } catch (error) {
    throw new ScriptError(`${error.message}${buildAdvice(error.message)}`);
  }
}

/** A new folder with the same native sources, for another build beside the one that is used. */
export function folderOfSources(name) {
  const folder = join(root, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const source of ['binding.gyp', 'native', 'package.json']) {
    symlinkSync(join(root, source), join(folder, source));
  }
  return folder;
}

// With common.gypi beside them.
async function buildSanitized() {
  const folder = folderOfSources('build-sanitized');
  symlinkSync(join(root, 'scripts/sanitized/common.gypi'), join(folder, 'common.gypi'));
  await buildNative(`--directory=${folder}`);
}

async function buildTypeScript() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '--project',
    'tsconfig.build.json',
  ]);
  // npm does it at installation; in a clone, npx starts it as it is.
  chmodSync(join(root, 'dist/cli/codejail.js'), 0o755);
  if (existsSync(join(root, 'lib/python'))) {
    cpSync(join(root, 'lib/python'), join(root, 'dist/python'), {
      recursive: true,
      filter: (path) => !/(?:__pycache__|\.ts)$/.test(path),
    });
  }
}

const builders = {
  native: async () => buildNative(),
  ts: buildTypeScript,
  sanitized: buildSanitized,
};

/** Builds one part (`native` or `ts`), whether it is stale or not. */
export async function build(part) {
  const sources = sourcesOf(part);
  await step(parts[part].title, builders[part]);
  markBuilt(part, sources);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const wanted = process.argv.slice(2);
    for (const part of wanted.length > 0 ? wanted : ['native', 'ts']) {
      if (!Object.hasOwn(builders, part)) {
        throw new ScriptError(
          `there is no part "${part}"; there are ${Object.keys(builders).join(', ')}`,
        );
      }
      await build(part);
    }
  });
}
