// Makes prebuilds/linux-<arch>/: the addon by prebuildify, and beside it the static programs that it starts and the libraries for Pythons.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { folderOfSources } from './build.mjs';
import { main, root, run, ScriptError, step } from './console.mjs';
import { nodeDirectory, requireToolchain } from './toolchain.mjs';

// As node-gyp-build tells them apart when it looks for an addon.
const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
// The programs are static; the libraries are loaded by Pythons of this libc.
const companions = {
  'codejail-launcher': 'codejail-launcher',
  'codejail-probe': 'codejail-probe',
  'codejail-cell.so': `codejail-cell.${libc}.so`,
  'codejail-output.so': `codejail-output.${libc}.so`,
};

async function prebuild() {
  requireToolchain();
  const directory = nodeDirectory();
  const folder = folderOfSources('build-prebuilds');
  const options = ['--napi', '--strip', '--tag-libc', '--cwd', folder, '--out', root];
  await run(join(root, 'node_modules/.bin/prebuildify'), options, {
    env: {
      PREBUILD_LIBC: libc,
      ...(directory === undefined ? {} : { npm_config_nodedir: directory }),
    },
  });
  const target = join(root, `prebuilds/linux-${process.arch}`);
  mkdirSync(target, { recursive: true });
  for (const [name, shipped] of Object.entries(companions)) {
    const built = join(folder, 'build/Release', name);
    if (!existsSync(built)) {
      throw new ScriptError(`${built} was not built: binding.gyp must have a target of that name`);
    }
    // prebuildify has copied a library, by its own name.
    rmSync(join(target, name), { force: true });
    copyFileSync(built, join(target, shipped));
    await run('strip', [join(target, shipped)]);
  }
  rmSync(folder, { recursive: true });
}

await main(() => step('making prebuilt binaries', prebuild));
