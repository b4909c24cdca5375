// The names of jails' directories: on the host, in a jail's own /tmp, and among the cgroups.
import { randomBytes } from 'node:crypto';

const NAME_BYTES = 6;

// Kept for names to come: to ask for six bytes takes as long as for some hundreds.
let randomness = Buffer.alloc(0);

/** A name that nobody else has: `codejail-3fJx91aB`. */
export function newJailName(): string {
  if (randomness.length < NAME_BYTES) {
    randomness = randomBytes(128 * NAME_BYTES);
  }
  const name = randomness.toString('base64url', 0, NAME_BYTES).replaceAll(/[-_]/g, 'x');
  randomness = randomness.subarray(NAME_BYTES);
  return `codejail-${name}`;
}

/** Such a name. */
export const JAIL_NAME = /^codejail-[A-Za-z0-9]{8}$/;
