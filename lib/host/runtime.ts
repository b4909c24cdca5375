// What of the host a program needs to run: its binary, the system's libraries, a Python's own tree.
import { basename } from 'node:path';
import { InvalidArgumentError, JailError } from '../errors';
import { throwIfPassing } from '../passing';
import { isWithin } from '../text/is-within';
import { libraryList } from './library-list';
import { openToStrangers } from './ownership';
import { resolvePath } from './paths';
import { interpreterOf, locate, LOOKING, whyUnreachable } from './program';
import { isPythonName, isPythonPrefix, likelyPrefixes, shimRoot } from './python-tree';
import { linkedModules, systemData } from './runtime-data';
import { resolveShown } from './shown-path';
import { ViewBuilder, type HostView } from './view';

/** A program that is ready to be put into a spec. */
export interface Runtime {
  /** The path that the program is started by. */
  program: string;
  /** Words that come before the configured ones: a script's interpreter and itself. */
  prefix: string[];
  /** Whether it is a Python. */
  python: boolean;
  /** The library by which a Python's output comes as it is printed, as its jails show it; undefined: none. */
  outputLibrary: string | undefined;
  view: HostView;
  /** Whether the view is a guess, since no jail could be made to ask the Python in. */
  isGuessed: boolean;
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
// Where a host has merged them with /usr/bin: `#!/bin/sh` and system(3) go by them.
const ROOT_LINKS = ['/bin', '/sbin'];
// The loader's cache; Debian's links to the chosen BLAS; the time zone.
const LIBRARY_DATA = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime'];

// As many as the kernel follows.
const MAXIMUM_INTERPRETERS = 4;

/** What a Python tells of itself. */
export interface PythonAnswer {
  executable: string;
  /** Its `sys.prefix` and its like. */
  prefixes: string[];
  /** Its `sys.path`. */
  path: string[];
  /** The library that it was asked with, where that has taken hold of its output. */
  outputLibrary: string | undefined;
}

/** What is to be asked. */
export interface PythonQuestion {
  /** What starts the Python: its absolute path; of a script, which starts the Python proper, its interpreter's before. */
  words: readonly [program: string, ...string[]];
  isShim: boolean;
  /** Whether the operator has named it. Else somebody's script or link has. */
  isTrusted: boolean;
  /** What it needs to see of the host to start, as far as can be told before. */
  view: HostView;
}

/** The answer; why there is none, as a clause; undefined where no jail can be made to ask in. */
export type AskPython = (question: PythonQuestion) => Promise<PythonAnswer | string | undefined>;

// A prefix such as /usr belongs to the whole system: only the directories of modules are shown.
const SHARED_PREFIXES = new Set(['/', '/usr', '/usr/local']);

// What a shim's manager is made of: a shell, and tools.
const SHIM_TOOLS = ['/bin', '/usr/bin', '/usr/local/bin'];

/** A program, as far as it is understood. */
type Found = Omit<Runtime, 'view'>;

const NO_PYTHON = { python: false, isGuessed: false, outputLibrary: undefined } as const;
const GUESSED_PYTHON = { python: true, isGuessed: true, outputLibrary: undefined } as const;

async function addPrefixes(builder: ViewBuilder, prefixes: readonly string[]): Promise<void> {
  for (const prefix of new Set(prefixes)) {
    if (!SHARED_PREFIXES.has(prefix)) {
      await builder.add(prefix, false);
    }
  }
}

/** What a Python needs to start, before it has told. */
async function guessView(known: ViewBuilder, located: string, isShim: boolean): Promise<HostView> {
  const builder = known.copy();
  await builder.add(located, true);
  await addPrefixes(builder, await likelyPrefixes(located));
  if (isShim) {
    const root = await shimRoot(located);
    for (const path of [...SHIM_TOOLS, ...(root === undefined ? [] : [root])]) {
      await builder.add(path, false);
    }
  }
  return builder.build();
}

/**
 * What can be believed of an answer that anybody may have written: directories that are a Python's, and what is in
 * them. Undefined where even its own name is another's.
 */
async function believable(
  answer: PythonAnswer,
  located: string,
): Promise<PythonAnswer | undefined> {
  const prefixes: string[] = [];
  for (const prefix of new Set(answer.prefixes)) {
    if (await isPythonPrefix(prefix)) {
      prefixes.push(prefix);
    }
  }
  const isBelow = (path: string, directories: readonly string[]): boolean =>
    directories.some((directory) => isWithin(path, directory));
  // A prefix that is the whole system's has its modules among the libraries, which are shown anyway.
  const own = prefixes.filter((prefix) => !SHARED_PREFIXES.has(prefix));
  const { executable } = answer;
  return executable === located || (isPythonName(executable) && isBelow(executable, prefixes))
    ? { ...answer, prefixes, path: answer.path.filter((path) => isBelow(path, own)) }
    : undefined;
}

/** Finds what one program needs. */
class Discovery {
  readonly #builder: ViewBuilder;
  readonly #argument: string;
  readonly #ask: AskPython;

  constructor(builder: ViewBuilder, { argument, ask }: DiscoveryContext) {
    this.#builder = builder;
    this.#argument = argument;
    this.#ask = ask;
  }

  async addProgram(located: string, python: WantedProgram['python'], depth = 0): Promise<Found> {
    const { real } = await resolvePath(located);
    const script = await interpreterOf(real);
    const isNamedSo = isPythonName(located) || isPythonName(real);
    if (python === 'owned') {
      await this.#requireOwned(located);
    }
    if (python === true || python === 'owned' || (python === undefined && isNamedSo)) {
      const found = await this.#addPython(located, script, true);
      if (typeof found === 'string') {
        throw new InvalidArgumentError(
          this.#argument,
          `names ${located}, which does not run as a Python in a jail: ${found}`,
        );
      }
      return found;
    }
    if (python === 'found' && isNamedSo && (await openToStrangers(located)) === undefined) {
      const found = await this.#addPython(located, script, false);
      if (typeof found !== 'string') {
        return found;
      }
    }
    await this.#builder.add(located, true);
    return script === undefined
      ? { program: located, prefix: [], ...NO_PYTHON }
      : this.#addScript(located, script, depth);
  }

  async #requireOwned(located: string): Promise<void> {
    const stranger = await openToStrangers(located);
    if (stranger !== undefined) {
      throw new InvalidArgumentError(
        this.#argument,
        `was found at ${located} and is not used, since ${stranger}: let nobody but root and this process's user write ` +
          `it and its directories (chmod go-w), or name it yourself: configure('python', '${located}')`,
      );
    }
  }

  async #addScript(located: string, words: readonly string[], depth: number): Promise<Found> {
    if (depth === MAXIMUM_INTERPRETERS) {
      throw new InvalidArgumentError(
        this.#argument,
        `names a script whose interpreter is a script, and so on: ${located}`,
      );
    }
    const { interpreter, options } = await this.#interpreter(words);
    const found = await this.addProgram(interpreter, 'found', depth + 1);
    const prefix = [...found.prefix, ...options, located];
    return { ...found, prefix, python: false, outputLibrary: undefined };
  }

  async #scriptWords(
    script: readonly string[],
    located: string,
  ): Promise<[program: string, ...string[]]> {
    const { interpreter, options } = await this.#interpreter(script);
    return [interpreter, ...options, located];
  }

  /** What a script's first line names; `env` finds it in PATH. */
  async #interpreter([named = '', option]: readonly string[]): Promise<{
    interpreter: string;
    options: string[];
  }> {
    const byName = basename(named) === 'env' && option !== undefined;
    return {
      interpreter: await locate(byName ? option : named, this.#argument),
      options: byName || option === undefined ? [] : [option],
    };
  }

  /** A string: why it is none, as a clause. */
  async #addPython(
    located: string,
    script: readonly string[] | undefined,
    isTrusted: boolean,
  ): Promise<Found | string> {
    const isShim = script !== undefined;
    const view = await guessView(this.#builder, located, isShim);
    const words =
      script === undefined ? ([located] as const) : await this.#scriptWords(script, located);
    const answer = await this.#ask({ words, isShim, isTrusted, view });
    if (typeof answer === 'string') {
      return answer;
    }
    if (answer === undefined) {
      await addPrefixes(this.#builder, await likelyPrefixes(located));
      await this.#builder.add(located, true);
      return { program: located, prefix: [], ...GUESSED_PYTHON };
    }
    const believed = isTrusted ? answer : await believable(answer, located);
    if (believed === undefined) {
      return 'it is not what it says it is';
    }
    // A shim, such as pyenv's, stands for the binary that it starts. A link of a virtual environment
    // is kept: the environment is found by it.
    const program = isShim ? believed.executable : located;
    await addPrefixes(this.#builder, believed.prefixes);
    for (const directory of believed.path) {
      await this.#builder.add(directory, false);
    }
    if (isTrusted) {
      for (const resolved of await linkedModules(believed.path)) {
        this.#builder.addResolved(resolved);
      }
    }
    await this.#builder.add(program, true);
    const { outputLibrary } = answer;
    if (outputLibrary !== undefined) {
      await this.#builder.add(outputLibrary, true);
    }
    return { program, prefix: [], python: true, isGuessed: false, outputLibrary };
  }
}

/** A program to find. */
export interface WantedProgram {
  /** An absolute path, or a name in PATH. */
  bin: string;
  /** More of the host to show. */
  readPaths: readonly string[];
  /** As the option of a command, by its name where it has none; `owned`: refused where others may write it. */
  python: boolean | 'found' | 'owned' | undefined;
  /** Whether it may start other programs. Default false. */
  allowExec?: boolean;
}

/** What a search for a program needs besides. */
export interface DiscoveryContext {
  /** The name of `bin` in errors. */
  argument: string;
  ask: AskPython;
}

/**
 * Finds what a program needs: follows it through symlinks and scripts, and asks a Python for its tree.
 * @throws InvalidArgumentError where the binary or one of `readPaths` is missing or can't be run
 * @throws SetupError where this process lacks something to look at them with
 */
export async function discoverRuntime(
  { bin, readPaths, python, allowExec = false }: WantedProgram,
  context: DiscoveryContext,
): Promise<Runtime> {
  const { argument } = context;
  const builder = new ViewBuilder();
  const located = await locate(bin, argument);
  for (const path of [...LIBRARY_DIRECTORIES, ...LIBRARY_DATA]) {
    await builder.add(path, false);
  }
  for (const [index, path] of readPaths.entries()) {
    // Resolved once: what is checked is what is shown.
    builder.addResolved(
      await resolveShown(path, `${argument.replace(/\.bin$/, '')}.readPaths[${index}]`),
    );
  }
  for (const path of ROOT_LINKS) {
    await builder.addIfShown(path);
  }
  try {
    const found = await new Discovery(builder, context).addProgram(located, python);
    for (const path of await systemData(found.python)) {
      await builder.add(path, false);
    }
    const list = found.python && allowExec ? await libraryList() : undefined;
    if (list !== undefined) {
      builder.addResolved(list);
    }
    return { ...found, view: builder.build() };
  } catch (error) {
    throwIfPassing(error, LOOKING);
    if ((error as NodeJS.ErrnoException).syscall === undefined || error instanceof JailError) {
      throw error;
    }
    throw new InvalidArgumentError(
      argument,
      `names ${located}, which can't be used: ${whyUnreachable(error)}`,
      error,
    );
  }
}
