// A path of the host that a jail is to show, as an argument.
import { isAbsolute, normalize } from 'node:path';
import { whyNeverShown } from '../host/shown-path';
import { describe } from '../text/describe';
import { readName, Refusal } from './argument';

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
  const problem = whyNeverShown(path);
  if (problem !== undefined) {
    throw new Refusal(problem);
  }
  return path;
}
