// Builds the native half of an installed package by this machine's own compiler.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BUILT } from '../native/binaries';
import { compile, type Compiler } from './compile';
import { readPlan } from './plan';

const STATIC_RUNTIME = ['-static-libgcc', '-static-libstdc++', '-s'];

/** The compiler of this machine: `CXX`, else g++. */
export function ownCompiler(): Compiler {
  return {
    command: (process.env['CXX'] ?? 'g++').split(' '),
    compile: [],
    link: {
      program: ['-static-pie', '-Wl,--gc-sections', '-s'],
      library: ['-shared', ...STATIC_RUNTIME],
      // Node has a C++ library of its own, which need not be of this compiler's version.
      addon: ['-shared', ...STATIC_RUNTIME],
    },
  };
}

/**
 * Builds into the package's own directory, from which it is loaded before its platform's package.
 * @param onProgress told how far it is
 * @returns where the binaries are
 * @throws CompilerError; what a system call throws where the directory is not this user's to write
 */
export async function buildHere(
  packageDirectory: string,
  onProgress: (done: number, of: number) => void,
): Promise<string> {
  const out = join(packageDirectory, BUILT);
  const targets = readPlan(packageDirectory);
  mkdirSync(dirname(out), { recursive: true });
  chmodSync(dirname(out), 0o755);
  const work = mkdtempSync(join(dirname(out), 'unfinished-'));
  try {
    const made = join(work, 'out');
    const build = {
      targets,
      directory: packageDirectory,
      out: made,
      objects: join(work, 'objects'),
    };
    await compile(ownCompiler(), { ...build, onProgress });
    chmodSync(made, 0o755);
    // A server that runs keeps the files that it has loaded.
    if (existsSync(out)) {
      renameSync(out, join(work, 'old'));
    }
    renameSync(made, out);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return out;
}
