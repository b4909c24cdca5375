// Makes prebuilds/linux-<arch>/: the addon by prebuildify, and beside it the static executables that it starts.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { main, root, run, ScriptError, step } from './console.mjs';
import { nodeDirectory, requireToolchain } from './toolchain.mjs';

const executables = ['codejail-launcher', 'codejail-probe'];

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
  for (const name of executables) {
    const built = join(root, 'build/Release', name);
    if (!existsSync(built)) {
      throw new ScriptError(`${built} was not built: binding.gyp must have a target of that name`);
    }
    copyFileSync(built, join(target, name));
    await run('strip', [join(target, name)]);
  }
}

await main(() => step('making prebuilt binaries', prebuild));
