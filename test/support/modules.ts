// Python modules of a test's own, where any user's jail may be shown them.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes one module to a folder, which is removed afterwards. */
export async function withModule(
  file: string,
  source: string,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync('/var/tmp/suite-');
  try {
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, file), source);
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
