// Who else may change what a path of the host names.
import { readFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { resolvePath } from './paths';

const GROUP_WRITABLE = 0o020;
const OTHERS_WRITABLE = 0o002;
const STICKY = 0o1000;
/** What stands for every owner that a user namespace does not map (user_namespaces(7)). */
const OVERFLOW_UID = 65_534;
const WHOLE_MAP = /^\s*0\s+0\s+4294967295\s*$/;

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // What can't be read vouches for nobody.
    return '';
  }
}

/** Whether the host's root shows as nobody here: in a user namespace that does not map it. */
function hidesOwners(): boolean {
  const map = textOf('/proc/self/uid_map');
  return map !== '' && !WHOLE_MAP.test(map);
}

function rows(path: string): string[][] {
  return textOf(path)
    .split('\n')
    .map((line) => line.split(':'));
}

/** A user as people know it: `the user mallory (1001)`. */
export function describeUser(uid: number): string {
  const name = rows('/etc/passwd').find((fields) => fields[2] === String(uid))?.[0];
  return name === undefined ? `the user ${uid}` : `the user ${name} (${uid})`;
}

/** Whether nobody but root and this process's user is in a group, as in the private ones that distributions give. */
function isHarmlessGroup(gid: number, trusted: readonly number[]): boolean {
  const users = rows('/etc/passwd').map(([name = '', , uid, primary]) => ({ name, uid, primary }));
  const ours = new Set([0, process.geteuid?.(), ...trusted].map(String));
  const isOurs = (member: string): boolean =>
    users.some(({ name, uid = '' }) => name === member && ours.has(uid));
  // A group that is not in the file may have any members: from a directory service, or another container's.
  const group = rows('/etc/group').find((fields) => fields[2] === String(gid));
  return (
    group !== undefined &&
    (group[3] ?? '')
      .split(',')
      .filter((member) => member !== '')
      .every(isOurs) &&
    users.filter(({ primary }) => primary === String(gid)).every(({ name }) => isOurs(name))
  );
}

/** Why somebody else may change this file, or what this directory holds; undefined where nobody may. */
function strangerIn(
  path: string,
  { uid, gid, mode, isLink }: FileFacts,
  trusted: readonly number[],
): string | undefined {
  const isOurs =
    uid === 0 ||
    uid === process.geteuid?.() ||
    trusted.includes(uid) ||
    (uid === OVERFLOW_UID && hidesOwners());
  if (!isOurs) {
    return `${path} belongs to ${describeUser(uid)}`;
  }
  // A link has no mode of its own. In a sticky directory nobody removes what another one owns (unlink(2)).
  if (isLink || (mode & STICKY) !== 0) {
    return undefined;
  }
  if ((mode & OTHERS_WRITABLE) !== 0) {
    return `${path} may be written by everybody`;
  }
  if ((mode & GROUP_WRITABLE) !== 0 && !isHarmlessGroup(gid, trusted)) {
    return `${path} may be written by the group ${gid}`;
  }
  return undefined;
}

interface FileFacts {
  uid: number;
  gid: number;
  mode: number;
  isLink: boolean;
}

function factsOf(status: Stats): FileFacts {
  const isSticky = status.isDirectory() ? status.mode & STICKY : 0;
  return {
    uid: status.uid,
    gid: status.gid,
    mode: (status.mode & 0o777) | isSticky,
    isLink: status.isSymbolicLink(),
  };
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...ancestors(parent), path];
}

/**
 * Whether anybody but root and this process's user could put something else at a path: who owns or may write
 * what it names, a directory on the way, or a symlink on the way.
 * @param path an absolute path that is there
 * @param trusted other users whose it may be
 * @returns what is open to whom, as a clause (`/opt/grader may be written by everybody`), or undefined
 * @throws as `lstat` does
 */
export async function openToStrangers(
  path: string,
  trusted: readonly number[] = [],
): Promise<string | undefined> {
  const { links, real } = await resolvePath(path);
  const steps = new Set([...links.map((link) => link.path), real].flatMap(ancestors));
  for (const step of [...steps].sort()) {
    const stranger = strangerIn(step, factsOf(await lstat(step)), trusted);
    if (stranger !== undefined) {
      return stranger;
    }
  }
  return undefined;
}
