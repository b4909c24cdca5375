// Data that runtimes have outside of their own trees: where Linux distributions put it, and where links in a tree lead.
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isWithin } from '../text/is-within';
import { openToStrangers } from './ownership';
import { resolvePath, type ResolvedPath } from './paths';
import { whyNeverShown } from './shown-path';

/** What packages have, and no administrator. It tells no more of a host than its libraries do. */
const SHARED = '/usr/share';

// By name, since the rest of /etc and of /var is the host's own: who is there, what it is called, whom it talks to.
const OF_ANY = ['/etc/fonts', '/etc/mime.types', '/usr/local/share/fonts', '/var/cache/fontconfig'];
const OF_PYTHON = ['/etc/matplotlibrc', '/usr/local/share/nltk_data'];
const OF_OTHERS = [
  '/etc/groff',
  '/etc/magic',
  '/etc/magic.mime',
  '/etc/mono',
  '/etc/perl/XML',
  '/etc/R',
  '/etc/terminfo',
  '/etc/texmf',
  '/usr/local/share/lua',
  '/usr/local/share/perl',
  '/usr/local/share/texmf',
  '/var/lib/gems',
  '/var/lib/texmf',
];
/** What a PHP on the command line has in /etc/php/8.2. The rest is that of servers. */
const OF_PHP = ['cli', 'mods-available'];
const PHP = '/etc/php';
const PHP_DATA = new RegExp(`^${PHP}/[\\d.]+/(?:${OF_PHP.join('|')})$`);
/** Runtimes with a directory in /etc for each version: java-17-openjdk, ImageMagick-6. */
const VERSIONED = ['java', 'ImageMagick'];
const VERSION = new RegExp(`^(?:${VERSIONED.join('|')})(?:-[\\w.-]+)?$`);

function named(isPython: boolean): string[] {
  return [SHARED, ...OF_ANY, ...OF_PYTHON, ...(isPython ? [] : OF_OTHERS)];
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

/**
 * The data that a runtime may have on a system of any distribution, whether it is there or not.
 * @param isPython whether it is a Python; else it may be anything, or start anything
 */
export async function systemData(isPython: boolean): Promise<string[]> {
  if (isPython) {
    return named(true);
  }
  const versioned = (await namesIn('/etc')).filter((name) => VERSION.test(name));
  const php = (await namesIn(PHP)).flatMap((version) =>
    OF_PHP.map((part) => join(PHP, version, part)),
  );
  return [
    ...named(false),
    ...versioned.map((name) => join('/etc', name)),
    ...php.filter((path) => PHP_DATA.test(path)),
  ];
}

/** The same for any host, as AppArmor's patterns. */
export function systemDataPatterns(isPython: boolean): string[] {
  const versioned = isPython
    ? []
    : [...VERSIONED.map((name) => `/etc/${name}{,-*}`), `${PHP}/*/{${OF_PHP.join(',')}}`];
  return [...named(isPython), ...versioned];
}

/** Whether these patterns cover a path of `systemData`. */
export function isSystemData(path: string, isPython: boolean): boolean {
  return (
    named(isPython).includes(path) ||
    (!isPython &&
      (PHP_DATA.test(path) || (dirname(path) === '/etc' && VERSION.test(basename(path)))))
  );
}

const MOST_LINKS = 256;
const MOST_DIRECTORIES = 1000;
// What is the host's own, whoever has put a link to it there; a whole home, or all that a service has; what is hidden.
const NEVER = /^\/(?:etc|run|boot|var\/(?!tmp\/))|^(?:\/[^/]*){0,2}$|^\/home\/[^/]*$|\/\./;

/** These directories, and those in them. */
async function withChildren(directories: readonly string[]): Promise<string[]> {
  const all = [...directories];
  for (const directory of directories) {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory() && entry.name !== '__pycache__') {
        all.push(join(directory, entry.name));
      }
    }
  }
  return all.slice(0, MOST_DIRECTORIES);
}

/**
 * Where the links among a Python's modules lead, as far as nobody but root and this process's user has made them or
 * may change what they lead to, and it is nothing of the host's own.
 * @param directories of modules; links in them, and in the directories in them, are followed
 */
export async function linkedModules(directories: readonly string[]): Promise<ResolvedPath[]> {
  const found: ResolvedPath[] = [];
  for (const directory of await withChildren(directories)) {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((one) => one.isSymbolicLink())) {
      const link = join(directory, entry.name);
      const resolved = await resolvePath(link).catch(() => undefined);
      if (
        resolved !== undefined &&
        found.length < MOST_LINKS &&
        !isWithin(resolved.real, directory) &&
        !NEVER.test(resolved.real) &&
        whyNeverShown(resolved.real) === undefined &&
        (await openToStrangers(link)) === undefined
      ) {
        found.push(resolved);
      }
    }
  }
  return found;
}
