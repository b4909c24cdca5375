// Makes prebuilds/linux-<arch>/: the addon by prebuildify, and beside it the static programs that it starts and the library that a warm Python loads.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { main, root, run, ScriptError, step } from './console.mjs';
import { nodeDirectory, requireToolchain } from './toolchain.mjs';

const companions = ['codejail-launcher', 'codejail-probe', 'codejail-cell.so'];

async function prebuild() {
  requireToolchain();
  const directory = nodeDirectory();
  await run(
    join(root, 'node_modules/.bin/prebuildify'),
    ['--napi', '--strip', '--tag-libc'],
    directory === undefined ? {} : { env: { npm_config_nodedir: directory } },
  );
  const target = join(root, `prebuilds/linux-${process.arch}`);
  mkdirSync(target, { recursive: true });
  for (const name of companions) {
    const built = join(root, 'build/Release', name);
    if (!existsSync(built)) {
      throw new ScriptError(`${built} was not built: binding.gyp must have a target of that name`);
    }
    copyFileSync(built, join(target, name));
    await run('strip', [join(target, name)]);
  }
}

await main(() => step('making prebuilt binaries', prebuild));
