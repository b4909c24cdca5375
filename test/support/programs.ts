// The programs of test/programs, which ask the kernel for what ordinary programs ask it for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder that they are in. */
export const PROGRAMS = join(__dirname, '..', 'programs');

/** The text of one of them. */
export function program(name: string): string {
  return readFileSync(join(PROGRAMS, name), 'utf8');
}
