// A parser of AppArmor's policy 4.0 where this host's is older: Debian 13's, unpacked into the cache with the
// libraries that it needs, and started by its own loader.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run, step } from '../console.mjs';
import { cache } from './kernel.mjs';

const PACKAGES = ['apparmor', 'libc6', 'libstdc++6', 'libgcc-s1'];
const SOURCE =
  'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n';

async function download(folder) {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'parser-'));
  try {
    const lists = join(work, 'lists');
    const archives = join(work, 'cache');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    mkdirSync(join(archives, 'archives/partial'), { recursive: true });
    writeFileSync(join(work, 'sources.list'), SOURCE);
    const settings = [
      `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${lists}`,
      `Dir::Cache=${archives}`,
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
    ].flatMap((setting) => ['-o', setting]);
    await run('apt-get', [...settings, 'update', '-qq']);
    await run('sh', ['-c', 'cd "$0" && apt-get "$@"', work, ...settings, 'download', ...PACKAGES]);
    const tree = join(work, 'tree');
    for (const name of readdirSync(work).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg-deb', ['--extract', join(work, name), tree]);
    }
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
