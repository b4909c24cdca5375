// The Python that runs inside: the files of this directory.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All of them; what each is for is said in its first lines. */
export const PYTHON_FILES = [
  'runner.py',
  'functions.py',
  'session.py',
  'template.py',
  'cells.py',
  'rehearsal.py',
] as const;

export type PythonFile = (typeof PYTHON_FILES)[number];

const sources = new Map<PythonFile, string>();

/** The text of a file; read once. */
export function pythonSource(name: PythonFile): string {
  const known = sources.get(name);
  if (known !== undefined) {
    return known;
  }
  const source = readFileSync(join(__dirname, name), 'utf8');
  sources.set(name, source);
  return source;
}
