// Empty projects into which the packages are installed, and how programs are run there: without a compiler on the PATH and,
// where this user may mount, with a node_modules that can't be written.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where tools of the clone are, below `home`: on the way up from each project. */
export const LINKED_TOOLS = 'projects/node_modules';

/** What happened instead, as a case tells it. */
export class CaseError extends Error {}

const KEPT_PROGRAMS = [
  'sh',
  'env',
  'python3',
  'cat',
  'ls',
  'rm',
  'mkdir',
  'uname',
  'tar',
  'gzip',
  'sed',
  'dirname',
  'basename',
  'ldd',
];

/** A directory with what a server's machine has; no compiler among it. */
function pathWithoutCompiler(home) {
  const directory = join(home, 'bin');
  if (!existsSync(directory)) {
    mkdirSync(directory);
    for (const name of KEPT_PROGRAMS) {
      const found = ['/usr/bin', '/bin', '/usr/local/bin']
        .map((place) => join(place, name))
        .find(existsSync);
      if (found !== undefined) symlinkSync(realpathSync(found), join(directory, name));
    }
    symlinkSync(process.execPath, join(directory, 'node'));
  }
  return directory;
}

/** npm's own file, which the PATH of the projects does not have: the one that runs this, else Node's. */
function npmProgram() {
  const ofNode = join(
    dirname(realpathSync(process.execPath)),
    '../lib/node_modules/npm/bin/npm-cli.js',
  );
  const { npm_execpath: running } = process.env;
  return running !== undefined && /npm-cli\.c?js$/.test(running) ? running : ofNode;
}

const programAt = (name) =>
  ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
    .map((place) => join(place, name))
    .find((path) => existsSync(path));
const [MOUNT, UNSHARE] = [programAt('mount'), programAt('unshare')];
const READ_ONLY = `${MOUNT} --bind node_modules node_modules && ${MOUNT} -o remount,ro,bind node_modules && exec "$@"`;
export const mounts = process.getuid() === 0 && MOUNT !== undefined && UNSHARE !== undefined;

/** Runs a program to its end; resolves to its standard output, rejects where its status is another than `status`. */
export function start(words, { cwd, env, status = 0, onChild } = {}) {
  const [program, ...args] = words;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onChild?.(child);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new CaseError(`${program}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === status) resolve(`${output}${status === 0 ? '' : errors}`);
      else
        reject(
          new CaseError(
            `${words.slice(-4).join(' ')}: ${signal ?? code}\n${output}${errors}`.slice(0, 4000),
          ),
        );
    });
  });
}

/** A project, below `home`, whose node_modules has the tools. */
export class Project {
  constructor(home, name, registry) {
    this.home = home;
    this.registry = registry;
    this.directory = join(home, 'projects', name);
    mkdirSync(this.directory, { recursive: true });
    this.write('package.json', JSON.stringify({ name, version: '1.0.0', private: true }));
    this.env = {
      PATH: pathWithoutCompiler(home),
      HOME: join(home, 'home'),
      TMPDIR: home,
      NO_COLOR: '1',
      CI: '1',
      npm_config_registry: registry,
      npm_config_cache: join(home, 'npm-cache'),
      npm_config_update_notifier: 'false',
    };
    mkdirSync(this.env.HOME, { recursive: true });
  }

  write(path, text) {
    mkdirSync(dirname(join(this.directory, path)), { recursive: true });
    writeFileSync(join(this.directory, path), text);
  }

  /** A tool's program, with Node. */
  tool(path, ...args) {
    const places = [LINKED_TOOLS, 'node_modules'].map((folder) => join(this.home, folder, path));
    return [process.execPath, places.find((place) => existsSync(place)) ?? places[1], ...args];
  }

  /** Whatever has to write: a package manager. */
  do(words, options = {}) {
    return start(words, { cwd: this.directory, ...options, env: { ...this.env, ...options.env } });
  }

  async npm(...words) {
    return this.do([process.execPath, npmProgram(), ...words, '--no-audit', '--no-fund']);
  }

  /** A program of the server's. */
  run(words, options = {}) {
    const apart = mounts && existsSync(join(this.directory, 'node_modules'));
    const closed = [UNSHARE, '--mount', '/bin/sh', '-c', READ_ONLY, 'sh', ...words];
    return this.do(apart ? closed : words, options);
  }
}
