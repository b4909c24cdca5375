// The Python that runs inside: the files of this directory.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of the runner, in their order: one file inside, since to read one is all that a program has time for. */
const RUNNER_PARTS = [
  'runner.py',
  'program.py',
  'request.py',
  'encoding.py',
  'failure.py',
  'ending.py',
  'perform.py',
] as const;

const OTHERS = ['functions.py', 'session.py', 'template.py', 'cells.py', 'rehearsal.py'] as const;

/** All of them; what each is for is said in its first lines. */
export const PYTHON_FILES = [...RUNNER_PARTS, ...OTHERS] as const;

export type PythonFile = (typeof OTHERS)[number];

const sources = new Map<string, string>();

function read(name: string): string {
  return readFileSync(join(__dirname, name), 'utf8');
}

function once(name: string, make: () => string): string {
  const source = sources.get(name) ?? make();
  sources.set(name, source);
  return source;
}

/** The text of a file; read once. */
export function pythonSource(name: PythonFile): string {
  return once(name, () => read(name));
}

/** The text of the runner; read once. */
export function runnerSource(): string {
  return once('runner', () => RUNNER_PARTS.map(read).join('\n\n'));
}
