// The packages that the helpers are for: loaded when one is used, since most servers have neither.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { MissingPackageError } from '../index';

/** The versions that will do, as package.json has them. */
function rangeOf(name: string): string {
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  const { peerDependencies } = JSON.parse(text) as { peerDependencies: Record<string, string> };
  return peerDependencies[name] ?? '*';
}

/**
 * Loads a package that codejail does not bring along.
 * @param user what needs it, as it is imported
 * @throws MissingPackageError where it is not installed
 */
export function requirePeer(name: string, user: string): unknown {
  const load = createRequire(__filename);
  try {
    load.resolve(name);
  } catch (error) {
    throw new MissingPackageError(name, rangeOf(name), user, error);
  }
  return load(name);
}
