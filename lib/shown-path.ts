// A path of the host that a jail is to show.
import { isAbsolute, normalize } from 'node:path';
import { readName, Refusal } from './argument';
import { describe } from './describe';

function readAbsolutePath(value: unknown): string {
  const path = readName(value);
  if (!isAbsolute(path)) {
    throw new Refusal(`must be an absolute path, not ${describe(path)}`);
  }
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** An absolute path, normalized, that is neither the root nor the kernel's. */
export function readShownPath(value: unknown): string {
  const path = readAbsolutePath(value);
  if (path === '/') {
    throw new Refusal('must not be /: it would show the whole host to the jail');
  }
  const kernelDirectory = /^\/(proc|sys|dev)(?=\/|$)/.exec(path)?.[0];
  if (kernelDirectory !== undefined) {
    throw new Refusal(
      `must not be in ${kernelDirectory}: it would show other processes or devices to the jail`,
    );
  }
  return path;
}
