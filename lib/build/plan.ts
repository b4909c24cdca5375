// What is built from which sources, in which words to the compiler: native/build.json, made of binding.gyp for the package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How it is linked: a static program, a library for Pythons, or an addon, whose other half is Node. */
export type TargetKind = 'program' | 'library' | 'addon';

/** One file of `BINARIES`. */
export interface Target {
  readonly file: string;
  readonly kind: TargetKind;
  /** Paths from the package. */
  readonly sources: readonly string[];
  readonly includes: readonly string[];
  readonly defines: readonly string[];
  /** For the compiler, apart from those of a machine. */
  readonly compile: readonly string[];
  readonly link: readonly string[];
}

/** Where a package has its plan. */
export const PLAN = join('native', 'build.json');

/**
 * The plan of a package.
 * @throws what `readFileSync` throws where it has none: a clone, which is built by `npm run setup`
 */
export function readPlan(packageDirectory: string): Target[] {
  return JSON.parse(readFileSync(join(packageDirectory, PLAN), 'utf8')) as Target[];
}
