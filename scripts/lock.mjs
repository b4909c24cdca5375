// One set-up at a time: two builds in one directory would spoil each other.
import { readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, ScriptError } from './console.mjs';

const path = join(root, '.setup.lock');

// Processes of another namespace can't be looked for: theirs counts for as long as the slowest build takes.
const LONGEST_MS = 30 * 60_000;
const ownNamespace = readlinkSync('/proc/self/ns/pid');

function holderIsAlive() {
  try {
    const [id, namespace] = readFileSync(path, 'utf8').split(' ');
    if (namespace !== undefined && namespace !== ownNamespace) {
      return Date.now() - statSync(path).mtimeMs < LONGEST_MS;
    }
    return Number(id) > 0 && process.kill(Number(id), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `action` while holding the lock; waits while another live process holds it. */
export async function withLock(action) {
  for (;;) {
    try {
      writeFileSync(path, `${process.pid} ${ownNamespace}`, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code === 'EACCES' || error.code === 'EROFS') {
        throw new ScriptError(
          `something has to be installed or built, but ${root} can't be written to by this user: ` +
            'run npm run setup once as its owner',
        );
      }
      if (error.code !== 'EEXIST') {
        throw error;
      }
    }
    // A holder that was just created and has not written its id yet reads as dead: look twice.
    if (!holderIsAlive()) {
      await sleep(200);
      if (!holderIsAlive()) rmSync(path, { force: true });
    }
    await sleep(100);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}
