// What of the host a program needs to run: its binary, the system's libraries, a Python's own tree.
import { execFile } from 'node:child_process';
import { lstat, open } from 'node:fs/promises';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidArgumentError } from './errors';
import { isWithin, resolvePath } from './paths';

/** Parts of the host that a jail shows, all read-only. */
export interface HostView {
  /** Files and directories, each free of symlinks, none within another. */
  binds: string[];
  /** The host's symlinks that lead to them. */
  links: { path: string; target: string }[];
}

/** A program that is ready to be put into a spec. */
export interface Runtime {
  /** The path that the program is started by. */
  program: string;
  /** Words that come before the configured ones: a script's interpreter and itself. */
  prefix: string[];
  /** Whether it is a Python. */
  python: boolean;
  view: HostView;
}

const LIBRARY_DIRECTORIES = [
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/usr/local/lib',
  '/usr/local/lib64',
];
// The loader's cache; Debian's links to the chosen BLAS; time zones. Nothing else of /etc.
const LIBRARY_DATA = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/localtime',
  '/usr/share/zoneinfo',
];

// As many as the kernel follows.
const MAXIMUM_INTERPRETERS = 4;

const PYTHON_QUESTION = `
import json, sys
print(json.dumps({
    "executable": sys.executable,
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    "path": [p for p in sys.path if p],
}))
`;

interface PythonFacts {
  executable: string;
  prefixes: string[];
  path: string[];
}

const run = promisify(execFile);

function whyUnreachable(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  return code === 'EACCES' && path !== undefined
    ? `the directory ${dirname(path)} is closed to this process's user. Open it to that user, or name a program that is elsewhere (EACCES)`
    : message;
}

/** The absolute path of `bin`; a bare name is looked up in PATH. */
async function locate(bin: string, argument: string): Promise<string> {
  const candidates = isAbsolute(bin)
    ? [bin]
    : bin.includes('/')
      ? []
      : (process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
          .split(delimiter)
          .filter(isAbsolute)
          .map((directory) => join(directory, bin));
  let problem = `must be an absolute path or a name in PATH, not ${JSON.stringify(bin)}`;
  for (const candidate of candidates) {
    try {
      const { real } = await resolvePath(candidate);
      const status = await lstat(real);
      if (status.isFile() && (status.mode & 0o111) !== 0) {
        return candidate;
      }
      problem = `names ${candidate}, which is not an executable file`;
    } catch (error) {
      problem = `names ${candidate}, which can't be used: ${whyUnreachable(error)}`;
    }
  }
  throw new InvalidArgumentError(
    argument,
    candidates.length > 1 ? `names ${JSON.stringify(bin)}, which is not in PATH` : problem,
  );
}

/** The words of a script's first line (execve(2), "Interpreter scripts"), or null for a binary. */
async function interpreterOf(path: string): Promise<string[] | null> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const text = buffer.subarray(0, bytesRead).toString('latin1');
    if (!text.startsWith('#!')) {
      return null;
    }
    const line = (text.slice(2).split('\n')[0] ?? '').trim();
    const words = /^(\S+)(?:\s+(.*))?$/.exec(line);
    return words === null ? null : [words[1] ?? '', ...(words[2] === undefined ? [] : [words[2]])];
  } finally {
    await file.close();
  }
}

async function askPython(bin: string, argument: string): Promise<PythonFacts> {
  try {
    // Isolated: neither the caller's environment nor its user's packages are part of the answer.
    const { stdout } = await run(bin, ['-I', '-B', '-c', PYTHON_QUESTION], { timeout: 30_000 });
    return JSON.parse(stdout) as PythonFacts;
  } catch (cause) {
    throw new InvalidArgumentError(
      argument,
      `names ${bin}, which does not run as a Python: ${(cause as Error).message.trim()}`,
      cause,
    );
  }
}

function isPythonName(path: string): boolean {
  return /^(python|pypy)[\d.]*$/.test(basename(path));
}

// A prefix such as /usr belongs to the whole system: only the directories of modules are shown.
const SHARED_PREFIXES = new Set(['/', '/usr', '/usr/local']);

class ViewBuilder {
  readonly #binds = new Set<string>();
  readonly #links = new Map<string, string>();

  async add(path: string, required: boolean): Promise<string | null> {
    try {
      const { links, real } = await resolvePath(path);
      for (const link of links) {
        this.#links.set(link.path, link.target);
      }
      if (real !== '/') {
        this.#binds.add(real);
      }
      return real;
    } catch (error) {
      if (required) {
        throw error;
      }
      return null;
    }
  }

  build(): HostView {
    const sorted = [...this.#binds].sort();
    const binds = sorted.filter(
      (path) => !sorted.some((other) => other !== path && isWithin(path, other)),
    );
    const links = [...this.#links]
      .filter(([path]) => !binds.some((bind) => isWithin(path, bind)))
      .map(([path, target]) => ({ path, target }));
    return { binds, links };
  }
}

async function addPython(builder: ViewBuilder, facts: PythonFacts): Promise<void> {
  for (const prefix of new Set(facts.prefixes)) {
    if (!SHARED_PREFIXES.has(prefix)) {
      await builder.add(prefix, false);
    }
  }
  for (const directory of facts.path) {
    await builder.add(directory, false);
  }
}

async function addProgram(
  builder: ViewBuilder,
  located: string,
  argument: string,
  depth = 0,
): Promise<Omit<Runtime, 'view'>> {
  const { real } = await resolvePath(located);
  const script = await interpreterOf(real);
  if (isPythonName(located) || isPythonName(real)) {
    const facts = await askPython(located, argument);
    // A shim, such as pyenv's, stands for the binary that it starts. A link of a virtual environment
    // is kept: the environment is found by it.
    const program = script === null ? located : facts.executable;
    await addPython(builder, facts);
    await builder.add(program, true);
    return { program, prefix: [], python: true };
  }
  await builder.add(located, true);
  if (script === null) {
    return { program: located, prefix: [], python: false };
  }
  if (depth === MAXIMUM_INTERPRETERS) {
    throw new InvalidArgumentError(
      argument,
      `names a script whose interpreter is a script, and so on: ${located}`,
    );
  }
  const [interpreter = '', option] = script;
  const byName = basename(interpreter) === 'env' && option !== undefined;
  const { program, prefix } = await addProgram(
    builder,
    await locate(byName ? option : interpreter, argument),
    argument,
    depth + 1,
  );
  const options = byName || option === undefined ? [] : [option];
  return { program, prefix: [...prefix, ...options, located], python: false };
}

/**
 * Finds what `bin` needs: follows it through symlinks and scripts, asks a Python for its tree (it is
 * run once, unconfined: a command is the operator's choice, never a request's).
 * @param bin an absolute path, or a name in PATH
 * @param readPaths more of the host to show
 * @param argument the name of `bin` in errors
 * @throws InvalidArgumentError where the binary or one of `readPaths` is missing or can't be run
 */
export async function discoverRuntime(
  bin: string,
  readPaths: readonly string[],
  argument: string,
): Promise<Runtime> {
  const builder = new ViewBuilder();
  const found = await addProgram(builder, await locate(bin, argument), argument);
  for (const path of [...LIBRARY_DIRECTORIES, ...LIBRARY_DATA]) {
    await builder.add(path, false);
  }
  for (const [index, path] of readPaths.entries()) {
    try {
      await builder.add(path, true);
    } catch (error) {
      throw new InvalidArgumentError(
        `${argument.replace(/\.bin$/, '')}.readPaths[${index}]`,
        `names ${path}, which can't be read: ${(error as Error).message}`,
        error,
      );
    }
  }
  return { ...found, view: builder.build() };
}
