// Builds the native part, the TypeScript, or both: `node scripts/build.mjs [native] [ts]`.
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main, root, run, ScriptError, step } from './console.mjs';
import { markBuilt, parts, sourcesOf } from './stale.mjs';
import { buildAdvice, nodeDirectory, requireToolchain } from './toolchain.mjs';

async function nodeGyp(command) {
  const directory = nodeDirectory();
  const args = [join(root, 'node_modules/node-gyp/bin/node-gyp.js'), command, '--release'];
  if (directory !== undefined) {
    args.push(`--nodedir=${directory}`);
  }
  await run(process.execPath, args, { env: { JOBS: 'max' } });
}

async function buildNative() {
  requireToolchain();
  try {
    await nodeGyp('rebuild');
  } catch (error) {
    throw new ScriptError(`${error.message}${buildAdvice(error.message)}`);
  }
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
      filter: (path) => !path.endsWith('__pycache__'),
    });
  }
}

const builders = { native: buildNative, ts: buildTypeScript };

/** Builds one part (`native` or `ts`), whether it is stale or not. */
export async function build(part) {
  const sources = sourcesOf(part);
  await step(parts[part].title, builders[part]);
  markBuilt(part, sources);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const wanted = process.argv.slice(2);
    for (const part of wanted.length > 0 ? wanted : Object.keys(builders)) {
      if (!Object.hasOwn(builders, part)) {
        throw new ScriptError(`there is no part "${part}"; there are native and ts`);
      }
      await build(part);
    }
  });
}
