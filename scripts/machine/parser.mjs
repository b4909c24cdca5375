// A parser of AppArmor's policy 4.0 where this host's is older: Debian 13's, unpacked into the cache with the
// libraries that it needs, and started by its own loader.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../console.mjs';
import { Apt } from './apt.mjs';
import { cache } from './kernel.mjs';

const PACKAGES = ['apparmor', 'libc6', 'libstdc++6', 'libgcc-s1'];

async function download(folder) {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'parser-'));
  try {
    const apt = await Apt.in(work, [['debian', 'trixie']]);
    await apt.fetch(PACKAGES);
    const tree = join(work, 'tree');
    await apt.unpack(tree);
    renameSync(tree, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The folder of the unpacked parser, downloaded once; undefined where this host's own will do. */
export async function fetchNewParser() {
  if (existsSync('/etc/apparmor.d/abi/4.0')) {
    return undefined;
  }
  const folder = join(cache, 'apparmor-4');
  if (!existsSync(folder)) {
    await step('downloading a parser of AppArmor’s policy 4.0', () => download(folder));
  }
  return folder;
}
