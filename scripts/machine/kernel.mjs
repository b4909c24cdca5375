// The machine's kernel: Debian's for clouds, which has all that is tested and needs one module only.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run, ScriptError, step } from '../console.mjs';
import { newestOf } from './apt.mjs';

/** The only place outside of this folder that is written. */
export const cache =
  process.env.CODEJAIL_TEST_MACHINE_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'codejail-test-machine');

const advice =
  'It is in Debian 12 with its security archive (linux-image-6.12…-cloud-amd64): run sudo apt-get update first. ' +
  `On another system, put a kernel with AppArmor, Landlock and virtiofs into ${cache} as vmlinuz, with its overlay.ko`;

async function newestPackage() {
  const found = await run('apt-cache', [
    'search',
    '--names-only',
    '^linux-image-6.12.*-cloud-amd64$',
  ]);
  const newest = newestOf(found);
  if (newest === undefined) {
    throw new ScriptError(`apt knows no kernel for the test machine. ${advice}`);
  }
  return newest;
}

/** Copies the kernel and its overlay module out of an unpacked package. */
export async function takeKernel(tree, kernel, overlay) {
  const files = readdirSync(tree, { recursive: true });
  const image = files.find((file) => /^boot\/vmlinuz-/.test(file));
  const module = files.find((file) => /\/overlay\.ko(\.xz)?$/.test(file));
  if (image === undefined || module === undefined) {
    throw new ScriptError(`${tree} has no kernel or no overlay module in it`);
  }
  if (module.endsWith('.xz')) {
    await run('xz', ['--decompress', join(tree, module)]);
  }
  copyFileSync(join(tree, module.replace(/\.xz$/, '')), overlay);
  copyFileSync(join(tree, image), kernel);
}

async function download(kernel, overlay) {
  mkdirSync(cache, { recursive: true });
  // apt's own unprivileged user writes here.
  const work = mkdtempSync(join(cache, 'download-'));
  try {
    const name = await newestPackage();
    const downloading = ['-c', `cd "$0" && apt-get download -q -o APT::Sandbox::User=root "$1"`];
    await run('sh', [...downloading, work, name]).catch((error) => {
      throw new ScriptError(`${error.message}\n${name} can't be downloaded. ${advice}`);
    });
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    await run('dpkg-deb', ['--extract', join(work, archive), work]);
    await takeKernel(work, kernel, overlay);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The paths of the kernel and its overlay module, downloaded once. */
export async function findKernel() {
  const kernel = join(cache, 'vmlinuz');
  const overlay = join(cache, 'overlay.ko');
  if (!existsSync(kernel) || !existsSync(overlay)) {
    await step('downloading the test machine’s kernel', () => download(kernel, overlay));
  }
  return { kernel, overlay };
}
