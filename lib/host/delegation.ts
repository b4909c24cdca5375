// Which part of the host's cgroup v2 tree is this server's to divide. Read only: nothing is changed here.
import { accessSync, constants, existsSync, lstatSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { native } from '../native/addon';
import { unescapeMount } from '../text/mount-table';

/** The leaf that a server moves itself into, out of the cgroup that its jails are to be made below. */
export const SERVER_LEAF = 'codejail-server';

/** A cgroup below which this server may make others; or why there is none, and what to do about it. */
export type Delegation =
  | {
      base: string;
      /** Whether this process is in it, and has to leave it. */ holdsServer: boolean;
    }
  | { base: undefined; why: string; cure: string };

/** What the decision needs to know of a host. */
export interface CgroupTree {
  /** This process's number and user. */
  pid: number;
  uid: number;
  /** Whether systemd manages the tree. */
  systemd: boolean;
  /** /proc/self/cgroup */
  membership: string;
  /** /proc/self/mountinfo */
  mounts: string;
  /** A file's text, or undefined where it can't be read. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  writable(path: string): boolean;
  owner(path: string): number | undefined;
  /** Whether systemd has marked a cgroup as delegated. */
  isMarked(path: string): boolean;
}

// What this process lacks at the moment is no fact about the tree.
const SHORTAGES = ['EMFILE', 'ENFILE', 'ENOMEM'];

/** The tree of this host, as this process sees it. */
function hostTree(): CgroupTree {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (SHORTAGES.includes((error as NodeJS.ErrnoException).code ?? '')) {
        throw error;
      }
      return undefined;
    }
  };
  return {
    pid: process.pid,
    uid: process.geteuid?.() ?? -1,
    systemd: existsSync('/run/systemd/system'),
    membership: read('/proc/self/cgroup') ?? '',
    mounts: read('/proc/self/mountinfo') ?? '',
    read,
    exists: existsSync,
    writable(path) {
      try {
        accessSync(path, constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    owner(path) {
      try {
        return lstatSync(path).uid;
      } catch {
        return undefined;
      }
    },
    isMarked: (path) => native().addon.cgroupIsDelegated(path),
  };
}

/** The controllers that a jail needs. Its CPU is accounted for without one. */
export const CONTROLLERS = ['memory', 'pids'] as const;

const UNIT_LINES =
  'in its systemd unit: [Service] Delegate=cpu memory pids, and DelegateSubgroup=server (systemd 254 and later)';
const EXPLICIT = "name one: createJail({ cgroup: '/sys/fs/cgroup/…' })";

function refusal(why: string, cure: string): Delegation {
  return { base: undefined, why, cure };
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter(Boolean);
}

interface Place {
  /** Where the tree is mounted. */
  root: string;
  /** The cgroup of this process. */
  own: string;
  /** Whether `root` is the root of this process's cgroup namespace. */
  isNamespaceRoot: boolean;
}

/** Where this process stands in the tree, or undefined where no mount shows it. */
function placeOf(tree: CgroupTree): Place | undefined {
  const path = /^0::(\/.*)$/m.exec(tree.membership)?.[1];
  if (path === undefined) {
    return undefined;
  }
  for (const line of tree.mounts.split('\n')) {
    const fields = / - cgroup2 /.test(line) ? line.split(' ') : [];
    const [mountRoot, mountPoint] = [fields[3], fields[4]].map((field) =>
      unescapeMount(field ?? ''),
    );
    if (mountRoot === undefined || mountPoint === undefined || mountRoot === '') {
      continue;
    }
    const below = relative(mountRoot, path);
    // A path that begins with /.. is outside of this process's cgroup namespace.
    if (!below.startsWith('..') && !path.startsWith('/..')) {
      return {
        root: mountPoint,
        own: join(mountPoint, below),
        isNamespaceRoot: mountRoot === '/',
      };
    }
  }
  return undefined;
}

/** The root of the whole machine's tree; alone of all it has no type. */
function isMachineRoot(tree: CgroupTree, cgroup: string): boolean {
  return !tree.exists(join(cgroup, 'cgroup.type'));
}

function ancestors(cgroup: string, root: string): string[] {
  const found = [cgroup];
  for (let at = cgroup; at !== root && at !== '/';) {
    at = dirname(at);
    found.push(at);
  }
  return found;
}

/** The cgroups that are this server's, nearest first. */
function delegated(tree: CgroupTree, { root, own, isNamespaceRoot }: Place): string[] {
  if (tree.systemd) {
    // Its rule: only below a unit that has Delegate= may others make cgroups (CGROUP_DELEGATION.md).
    const marked = ancestors(own, root).find((cgroup) => tree.isMarked(cgroup));
    return marked === undefined ? [] : [marked];
  }
  const around = ancestors(own, root).slice(0, 2);
  if (tree.uid !== 0) {
    // Delegation by ownership (cgroup-v2.rst, "Model of Delegation").
    const owned = around.filter((cgroup) => tree.owner(cgroup) === tree.uid);
    return basename(own) === SERVER_LEAF ? owned.reverse() : owned;
  }
  const isOurs = (cgroup: string): boolean =>
    isMachineRoot(tree, cgroup)
      ? !['init.scope', 'system.slice'].some((name) => tree.exists(join(cgroup, name)))
      : // What a container's cgroup namespace has as its root, its runtime has given to it.
        isNamespaceRoot && cgroup === root;
  const candidates = basename(own) === SERVER_LEAF ? around : [own];
  return candidates.filter(isOurs);
}

function lackOf(tree: CgroupTree, base: string, own: string | undefined): Delegation {
  const problem = ((): [why: string, cure: string] | undefined => {
    const closed = [base, join(base, 'cgroup.procs'), join(base, 'cgroup.subtree_control')].find(
      (path) => !tree.writable(path),
    );
    if (closed !== undefined) {
      return [
        `${closed} is not writable for this process`,
        'in a container: mount the cgroup tree writable; elsewhere give this user the directory, its cgroup.procs, cgroup.threads and cgroup.subtree_control',
      ];
    }
    const available = words(tree.read(join(base, 'cgroup.controllers')));
    const lacking = CONTROLLERS.filter((name) => !available.includes(name));
    if (lacking.length > 0) {
      return [
        `${base} lacks the controllers ${lacking.join(' and ')}`,
        / - cgroup \S+ \S*\bmemory\b/.test(tree.mounts)
          ? 'boot with cgroup v2 alone: systemd.unified_cgroup_hierarchy=1'
          : UNIT_LINES,
      ];
    }
    return undefined;
  })();
  if (problem !== undefined) {
    return refusal(...problem);
  }
  const inside = words(tree.read(join(base, 'cgroup.procs'))).map(Number);
  // No cgroup but the root has both processes and children with controllers (cgroups(7)).
  if (inside.length === 0 || isMachineRoot(tree, base)) {
    return { base, holdsServer: false };
  }
  const others = inside.filter((process_) => process_ !== tree.pid);
  // Only this process is this library's to move.
  return base === own && others.length === 0
    ? { base, holdsServer: true }
    : refusal(
        `${base} holds other processes (${others.slice(0, 5).join(', ')})`,
        `start the server in a cgroup of its own, ${UNIT_LINES}`,
      );
}

/**
 * Decides below which cgroup this server's jails may have theirs.
 * @param wish `auto`, or the path of a cgroup that the operator names
 * @throws what kept this process from looking: that it has no descriptors left, for instance
 */
export function findDelegation(wish: string, tree: CgroupTree = hostTree()): Delegation {
  const place = placeOf(tree);
  if (wish !== 'auto') {
    return tree.exists(join(wish, 'cgroup.controllers'))
      ? lackOf(tree, wish, place?.own)
      : refusal(`${wish} is no cgroup of a cgroup v2 tree`, EXPLICIT);
  }
  if (place === undefined) {
    return refusal(
      'no cgroup v2 tree that shows this process is mounted',
      'boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1); in a container: mount the cgroup tree',
    );
  }
  const candidates = delegated(tree, place).map((base) => lackOf(tree, base, place.own));
  return (
    candidates.find(({ base }) => base !== undefined) ??
    candidates[0] ??
    refusal(
      `the cgroup of this process, ${place.own}, is not delegated to it`,
      `${UNIT_LINES}; or ${EXPLICIT}`,
    )
  );
}
