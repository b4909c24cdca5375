// What the machine of this host's own processor is made of: this host's file system.
import { accessSync, constants, realpathSync } from 'node:fs';
import { root } from '../console.mjs';
import { findKernel } from './kernel.mjs';
import { requirePackages } from './packages.mjs';
import { fetchNewParser } from './parser.mjs';

function hasKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The machine, for `runInMachine`. */
export async function x64Machine() {
  requirePackages('x64');
  const { kernel, overlay } = await findKernel();
  const parser = await fetchNewParser();
  return {
    qemu: 'qemu-system-x86_64',
    board: ['-machine', 'q35'],
    accelerators: {
      ...(hasKvm() ? { kvm: ['-accel', 'kvm', '-cpu', 'host'] } : {}),
      tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'max'],
    },
    console: 'ttyS0',
    output: { device: 'ttyS1', words: ['-serial', 'chardev:out'] },
    kernel,
    overlay,
    busybox: '/bin/busybox',
    shares: () => ({ root: '/' }),
    settings: {
      project: realpathSync(root),
      node: realpathSync(process.execPath),
      parser: parser ?? '',
    },
  };
}
