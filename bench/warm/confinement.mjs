// What `confinement.cc` says, built for this host.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('confinement.cc', import.meta.url));
const KINDS = {
  library: ['-shared', '-fPIC'],
  // As a launcher is: a small process is made and ended sooner.
  program: ['-static'],
};

/**
 * Has `use` do something with both of its kinds, which are there only until it is done.
 * @template T
 * @param {(confinement: { library: string, program: string } | undefined) => Promise<T>} use
 *   is given none where there is no compiler
 * @returns {Promise<T>}
 */
export async function withConfinement(use) {
  const directory = mkdtempSync(join(tmpdir(), 'codejail-bench-'));
  try {
    const paths = {};
    for (const [kind, flags] of Object.entries(KINDS)) {
      paths[kind] = join(directory, kind);
      execFileSync('c++', ['-std=c++17', '-O2', ...flags, '-o', paths[kind], SOURCE]);
    }
    return await use(paths);
  } catch (error) {
    if (error.syscall === 'spawnSync c++' && error.code === 'ENOENT') {
      return await use(undefined);
    }
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
