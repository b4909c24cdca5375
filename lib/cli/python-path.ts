// Which Python is meant.
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { usageError } from './failure';

/**
 * The interpreter of an environment's directory, or the interpreter itself; a bare name is looked up in
 * PATH by the library.
 * @throws CommandLineError where a directory holds no Python
 */
export function interpreterAt(path: string): string {
  if (!path.includes('/') && !existsSync(path)) {
    return path;
  }
  const full = resolve(path);
  if (!existsSync(full)) {
    throw usageError(`--python: there is no ${full}`);
  }
  if (!statSync(full).isDirectory()) {
    return full;
  }
  const interpreter = join(full, 'bin', 'python');
  if (!existsSync(interpreter)) {
    throw usageError(
      `--python: ${full} is no Python environment: it has no bin/python. Make one with: codejail env create ${path}`,
    );
  }
  return interpreter;
}
