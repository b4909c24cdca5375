// Where the locks are by which the servers of a host share a pool of uids.
import { accessSync, constants, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { SetupError } from '../errors';
import { describeErrno } from '../text/errno';
import { describeUser } from './ownership';

const CURE =
  'a server has to write there: put a tmpfs on it (docker run --tmpfs, a mounted emptyDir), or in a systemd unit: ' +
  'RuntimeDirectory=codejail, RuntimeDirectoryPreserve=yes';
const RUN = ['/run', '/var/run'];

/** What each server of a user finds in the same order. Only the last can be taken by somebody else: anybody writes /tmp. */
function candidates(uid: number): string[] {
  const run = RUN.find((path) => existsSync(path));
  if (uid === 0 && run !== undefined) {
    // No other place: two servers of a host would lend the same uid to two jails.
    return [join(run, 'codejail')];
  }
  const name = `codejail-leases-${uid}`;
  // Several, where the unit names several (systemd.exec(5)).
  const ofUnit = (process.env['RUNTIME_DIRECTORY'] ?? '').split(':').filter(isAbsolute).slice(0, 1);
  // CAP_DAC_OVERRIDE, without which no uid is leased, writes /run, unless it is read-only.
  const parents = [...(run === undefined ? [] : [run]), ...ofUnit, '/tmp'];
  return parents.map((parent) => join(parent, name));
}

function makeOnce(path: string): void {
  try {
    // Not `recursive`, which says ENOENT of a read-only file system.
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
}

/** Why a directory can't be used, as a clause; undefined where it can. */
function whyNot(path: string, uid: number): string | undefined {
  try {
    makeOnce(path);
    const status = lstatSync(path);
    if (status.uid !== uid) {
      return `${path} belongs to ${describeUser(status.uid)}`;
    }
    if (!status.isDirectory()) {
      return `${path} is no directory`;
    }
    if ((status.mode & 0o022) !== 0) {
      return `${path} may be written by others (chmod go-w ${path})`;
    }
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (cause) {
    const { errno, code } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_ACCESS_DENIED') {
      return `Node's permission model denies writing ${path} (start node with --allow-fs-write=${path})`;
    }
    return `${path} can't be made or written (${describeErrno(-(errno ?? 0))})`;
  }
}

let leases: string | undefined;

/**
 * The directory of the locks by which all servers of this user share the pool of uids. Only its owner may write in it:
 * anybody else could lock the whole pool.
 * @throws SetupError where there is no such directory, with what is wrong with each, and the cure
 */
export function leaseDirectory(): string {
  if (leases !== undefined) {
    return leases;
  }
  const uid = process.geteuid?.() ?? -1;
  const problems: string[] = [];
  for (const path of candidates(uid)) {
    const problem = whyNot(path, uid);
    if (problem === undefined) {
      leases = path;
      return path;
    }
    problems.push(problem);
  }
  // Without the number: the cure is not that of a confinement that the host lacks.
  throw new SetupError('lease a uid', 0, { detail: `${problems.join('; ')}; ${CURE}` });
}
