// What the test machine is made of: programs of this host, by the Debian packages that bring them.
import { existsSync } from 'node:fs';
import { ScriptError } from '../console.mjs';
import { installed } from '../toolchain.mjs';

/** Debian 12 ships the C daemon with QEMU, later releases the Rust one in a package of its own. */
export const virtiofsd = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd'].find(existsSync);

const MACHINES = {
  x64: {
    needs: [
      ['qemu-system-x86', () => installed('qemu-system-x86_64')],
      ['busybox-static', () => installed('busybox')],
      ['apparmor', () => existsSync('/sbin/apparmor_parser') || installed('apparmor_parser')],
    ],
    script: 'test:apparmor',
  },
  arm64: {
    needs: [['qemu-system-arm', () => installed('qemu-system-aarch64')]],
    script: 'test:arm64',
  },
};

const OF_ALL = [
  ['virtiofsd', () => virtiofsd !== undefined],
  ['cpio', () => installed('cpio')],
  ['xz-utils', () => installed('xz')],
];

/**
 * Throws a ScriptError that says what to install, when a program is missing.
 * @param architecture of the machine: `x64` or `arm64`
 */
export function requirePackages(architecture) {
  const { needs, script } = MACHINES[architecture];
  if (process.arch !== 'x64') {
    throw new ScriptError(
      `the test machine is made on x86-64, and this is ${process.arch}: ` +
        'run npm test here, and npm run test:apparmor as root where the kernel has AppArmor',
    );
  }
  if (process.getuid() !== 0) {
    throw new ScriptError(
      `the test machine shares files by virtiofsd, which only root can start: sudo npm run ${script}`,
    );
  }
  const missing = [...needs, ...OF_ALL].filter(([, isThere]) => !isThere()).map(([name]) => name);
  // On Debian 12 the daemon is a part of a package of QEMU's, which x86-64's needs anyway.
  const names = missing.includes('qemu-system-x86')
    ? missing.filter((name) => name !== 'virtiofsd')
    : missing;
  if (names.length > 0) {
    throw new ScriptError(
      `the test machine needs ${names.join(', ')}. Install with: ` +
        `sudo apt-get install -y --no-install-recommends ${names.join(' ')}`,
    );
  }
}
