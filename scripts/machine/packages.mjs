// What the test machine is made of: programs of this host, by the Debian packages that bring them.
import { existsSync } from 'node:fs';
import { ScriptError } from '../console.mjs';
import { installed } from '../toolchain.mjs';

/** Debian 12 ships the C daemon with QEMU, later releases the Rust one in a package of its own. */
export const virtiofsd = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd'].find(existsSync);

const needs = [
  ['qemu-system-x86', () => installed('qemu-system-x86_64')],
  ['virtiofsd', () => virtiofsd !== undefined],
  ['busybox-static', () => installed('busybox')],
  ['cpio', () => installed('cpio')],
  ['xz-utils', () => installed('xz')],
  ['apparmor', () => existsSync('/sbin/apparmor_parser') || installed('apparmor_parser')],
];

/** Throws a ScriptError that says what to install, when a program is missing. */
export function requirePackages() {
  if (process.arch !== 'x64') {
    throw new ScriptError(
      `the test machine is made for x86-64, and this is ${process.arch}: ` +
        'run npm run test:apparmor as root on a host whose kernel has AppArmor',
    );
  }
  if (process.getuid() !== 0) {
    throw new ScriptError(
      'the test machine shares this root file system by virtiofsd, which only root can start: ' +
        'sudo npm run test:apparmor',
    );
  }
  const missing = needs.filter(([, isThere]) => !isThere()).map(([name]) => name);
  // On Debian 12 the daemon is a part of QEMU's package, which is missing too.
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
