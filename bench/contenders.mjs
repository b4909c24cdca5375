// Who runs a program, and how: codejail, a plain spawn, and the sandboxes that are installed.
import { accessSync, constants, lstatSync, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createJail } from 'codejail';
import { runSpawned } from './spawned.mjs';

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {(program: import('./programs.mjs').Program) =>
 *   Promise<{ output: string, setupMs: number | null }>} run
 */

/** The sandboxes that codejail is measured beside, where they are installed. */
export const PEERS = ['bwrap', 'nsjail', 'isolate'];

/**
 * @param {string} name
 * @returns {string | undefined} its path, where PATH has it
 */
export function findProgram(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function spawnedBy(command, args) {
  return { output: await runSpawned(command, args), setupMs: null };
}

const SYSTEM_DIRECTORIES = ['/bin', '/lib', '/lib32', '/lib64', '/libx32', '/sbin'];

/** The system's directories as a sandbox has to be told: real ones, and links into /usr. */
function systemView() {
  const directories = ['/usr'];
  const links = [];
  for (const path of SYSTEM_DIRECTORIES) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) {
      links.push([readlinkSync(path), path]);
    } else if (stats?.isDirectory()) {
      directories.push(path);
    }
  }
  return { directories, links };
}

function makeCodejail() {
  const jail = createJail({ commands: { true: '/bin/true' } });
  const configured = new Set(['true']);
  return {
    name: 'codejail',
    async run({ name, bin, code }) {
      if (!configured.has(name)) {
        jail.configure(name, bin);
        configured.add(name);
      }
      const { stdout, stderr, status, usage } = await jail.jailCode(
        name,
        code === null ? {} : { code },
      );
      if (status !== 0) {
        throw new Error(`codejail: status ${status}: ${stderr}`);
      }
      return { output: stdout.toString(), setupMs: usage.setupMs };
    },
  };
}

function makeBubblewrap(path) {
  const view = systemView();
  return {
    name: 'bubblewrap',
    run: ({ bin, args, directories }) =>
      spawnedBy(path, [
        ...[...view.directories, ...directories].flatMap((shown) => ['--ro-bind', shown, shown]),
        ...view.links.flatMap(([target, link]) => ['--symlink', target, link]),
        ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
        ...['--unshare-all', '--die-with-parent', '--new-session', '--clearenv'],
        ...[bin, ...args],
      ]),
  };
}

function makeNsjail(path) {
  const view = systemView();
  return {
    name: 'nsjail',
    run: ({ bin, args, directories }) =>
      spawnedBy(path, [
        ...['--mode', 'o', '--really_quiet', '--rlimit_as', 'max', '--tmpfsmount', '/tmp'],
        ...[...view.directories, ...directories].flatMap((shown) => ['--bindmount_ro', shown]),
        ...view.links.flatMap(([target, link]) => ['--symlink', `${target}:${link}`]),
        ...['--', bin, ...args],
      ]),
  };
}

/** A box is made, used once and cleaned up, as untrusted programs need it. */
function makeIsolate(path) {
  const box = String(process.pid % 100);
  return {
    name: 'isolate',
    async run({ bin, args, directories }) {
      await runSpawned(path, [`--box-id=${box}`, '--init']);
      try {
        return await spawnedBy(path, [
          `--box-id=${box}`,
          '--silent',
          ...directories.map((shown) => `--dir=${shown}`),
          ...['--run', '--', bin, ...args],
        ]);
      } finally {
        await runSpawned(path, [`--box-id=${box}`, '--cleanup']);
      }
    },
  };
}

const makers = { bwrap: makeBubblewrap, nsjail: makeNsjail, isolate: makeIsolate };

/** The two that the targets compare. */
export const ESSENTIAL = ['codejail', 'spawn'];

/**
 * @returns {Contender[]} codejail, the plain spawn, and the installed ones of `PEERS`
 */
export function makeContenders() {
  const peers = PEERS.map((name) => [name, findProgram(name)])
    .filter(([, path]) => path !== undefined)
    .map(([name, path]) => makers[name](path));
  const plain = { name: 'spawn', run: ({ bin, args }) => spawnedBy(bin, args) };
  return [makeCodejail(), plain, ...peers];
}
