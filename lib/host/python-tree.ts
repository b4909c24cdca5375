// Where a Python has its modules, as far as files tell without running it.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { resolvePath } from './paths';

const LIBRARIES = ['lib', 'lib64'];

/** Whether a path's name is a Python's: `python3`, `pypy3.10`. */
export function isPythonName(path: string): boolean {
  return /^(python|pypy)[\d.]*$/.test(basename(path));
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Whether a directory is a Python's `sys.prefix`: a virtual environment, or what holds a standard library. */
export async function isPythonPrefix(directory: string): Promise<boolean> {
  if (await isThere(join(directory, 'pyvenv.cfg'))) {
    return true;
  }
  for (const library of LIBRARIES) {
    const names = await readdir(join(directory, library)).catch(() => []);
    for (const name of names.filter(isPythonName)) {
      if (await isThere(join(directory, library, name, 'os.py'))) {
        return true;
      }
    }
  }
  return false;
}

/** The directory of the interpreter that a virtual environment was made from (PEP 405), or undefined. */
async function homeOf(environment: string): Promise<string | undefined> {
  const text = await readFile(join(environment, 'pyvenv.cfg'), 'utf8').catch(() => '');
  const home = /^home\s*=\s*(.+?)\s*$/m.exec(text)?.[1];
  return home !== undefined && isAbsolute(home) ? home : undefined;
}

/**
 * The directories that a Python at this path is likely to have as prefixes, its own and that of the one which
 * it was made from.
 * @param path a binary, or a link to one
 */
export async function likelyPrefixes(path: string): Promise<string[]> {
  const { real } = await resolvePath(path);
  const own = dirname(dirname(path));
  const home = await homeOf(own);
  const candidates = [own, dirname(dirname(real)), ...(home === undefined ? [] : [dirname(home)])];
  const found: string[] = [];
  for (const candidate of new Set(candidates)) {
    if (await isPythonPrefix(candidate)) {
      found.push(candidate);
    }
  }
  return found;
}

/** The directory of a manager of Pythons, such as pyenv, whose shim this script is; undefined where it is none. */
export async function shimRoot(script: string): Promise<string | undefined> {
  const root = dirname(dirname(script));
  const isManager =
    (await isThere(join(root, 'versions'))) || (await isThere(join(root, 'installs')));
  return basename(dirname(script)) === 'shims' && isManager ? root : undefined;
}

/** The version that pyenv would choose for this process (pyenv-version-file), for its shims; undefined: its own. */
export async function pyenvVersion(): Promise<string | undefined> {
  const chosen = process.env['PYENV_VERSION'];
  if (chosen !== undefined && chosen !== '') {
    return chosen;
  }
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    const text = await readFile(join(directory, '.python-version'), 'utf8').catch(() => undefined);
    if (text !== undefined) {
      const versions = text.split(/\s+/).filter((word) => /^[\w.-]+$/.test(word));
      return versions.length === 0 ? undefined : versions.join(':');
    }
    if (directory === dirname(directory)) {
      return undefined;
    }
  }
}
