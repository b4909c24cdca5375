// Why the native part can't be loaded where it is: what Node, a bundler or the host stands in the way with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PERMISSIONS =
  "Node's permission model denies it: start node with --allow-addons and --allow-fs-read=*; see docs/bundlers.md";

function isDenied(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  // process.dlopen and node:fs, of Node's permission model.
  return code === 'ERR_DLOPEN_DISABLED' || code === 'ERR_ACCESS_DENIED';
}

/**
 * Why it can't be loaded, and the cure; undefined where nothing of this is the reason.
 * @param packageDirectory where this package would be, if its code is where it was installed
 * @param cause what was thrown, if anything
 */
export function loadAdvice(packageDirectory: string, cause?: unknown): string | undefined {
  if (process.platform !== 'linux') {
    return (
      `codejail runs on Linux only, whose namespaces and filters its jails are made of, and this is ${process.platform}: ` +
      'run the server in a Linux container or virtual machine'
    );
  }
  if (isDenied(cause)) {
    return PERMISSIONS;
  }
  const file = join(packageDirectory, 'package.json');
  try {
    const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown };
    if (name === 'codejail') {
      return undefined;
    }
  } catch (error) {
    if (isDenied(error)) {
      return PERMISSIONS;
    }
  }
  return (
    `its code was bundled, which leaves its native programs behind: there is no package codejail at ${packageDirectory}. ` +
    "Mark codejail external (esbuild: --external:codejail; webpack: externals: { codejail: 'commonjs codejail' }; " +
    "Next.js: serverExternalPackages: ['codejail']), and install it where the bundle runs; see docs/bundlers.md"
  );
}
