// Writes down what a jail left behind.
import { mkdir, open } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JailResult } from '../index';
import { plain, sayAside } from './terminal';
import { formatBytes } from './units';

// Never through a link: what lies at that name is replaced only where it is a file.
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Writes the collected files below a directory of the host, which is made if need be. */
export async function writeCollected(
  directory: string,
  collected: JailResult['collected'],
): Promise<void> {
  for (const { path, content } of collected) {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    // Neither executable nor for others to write, whatever the jail made of it.
    const file = await open(target, FLAGS, 0o644);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    sayAside(`codejail: collected ${plain(target)} (${formatBytes(content.length)})`);
  }
}
