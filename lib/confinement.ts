// How a jail is confined on this host: which namespaces, whose uid, which further locks.
import { hostFacts, type HostFacts } from './host';
import { IdMap, native, Namespace, SpecFlag } from './native';

/** A range of uids (and gids of the same numbers) that belong to jails alone. */
export interface UidPool {
  first: number;
  count: number;
}

/** Above what distributions, containers and directory services hand out. */
export const DEFAULT_UID_POOL: UidPool = { first: 1_900_000_000, count: 4096 };

/** The uid that a program of an unprivileged jail sees; outside it is the caller's own. */
const INNER_UID = 1000;

const LANDLOCK_WITH_TRUNCATE = 3;

/** The part of a spec that the host decides, not the call. */
export interface Confinement {
  flags: number;
  namespaces: number;
  idMap: number;
  uid: number;
  gid: number;
  outerUid: number;
  outerGid: number;
  uidPool: UidPool | undefined;
  appArmorProfile: string | undefined;
  /** The mechanisms by name, for results and reports. */
  mechanisms: string[];
}

const SHARED_NAMESPACES =
  Namespace.mount |
  Namespace.cgroup |
  Namespace.uts |
  Namespace.ipc |
  Namespace.pid |
  Namespace.network;
const NAMESPACE_MECHANISMS = [
  'mount-namespace',
  'pid-namespace',
  'network-namespace',
  'ipc-namespace',
  'uts-namespace',
  'cgroup-namespace',
];
const COMMON_MECHANISMS = ['no-capabilities', 'no-new-privs', 'seccomp', 'rlimits', 'tmpfs'];

/** What a command asks of its confinement. */
export interface ConfinementWishes {
  allowExec: boolean;
  profile: string | undefined;
  user: { uid: number; gid: number } | undefined;
  uidPool: UidPool;
}

/** Decides the confinement; changes nothing. */
export function planConfinement(
  wishes: ConfinementWishes,
  facts: HostFacts = hostFacts(),
): Confinement {
  const mechanisms = [...NAMESPACE_MECHANISMS];
  let flags = SpecFlag.ownRoot | SpecFlag.isolateHostname | SpecFlag.seccomp;
  if (wishes.allowExec) {
    flags |= SpecFlag.allowExec;
  }
  let namespaces = SHARED_NAMESPACES;
  let idMap: number = IdMap.none;
  let uid = 0;
  let gid = 0;
  let outerUid = facts.uid;
  let outerGid = facts.gid;
  let uidPool: UidPool | undefined;
  if (facts.kind === 'root' && wishes.user === undefined) {
    flags |= SpecFlag.dropGroups;
    uidPool = wishes.uidPool;
    mechanisms.push('uid-pool');
  } else if (facts.kind === 'root' && wishes.user !== undefined) {
    // A user namespace of its own gives each jail of the same user a task count of its own.
    flags |= SpecFlag.dropGroups | SpecFlag.launcherMakesNamespaces;
    namespaces |= Namespace.user;
    idMap = IdMap.sandbox;
    ({ uid, gid } = wishes.user);
    outerUid = uid;
    outerGid = gid;
    mechanisms.push('user-namespace', 'sandbox-user');
  } else {
    // The files belong to the jail's own uid here. Landlock then keeps it from changing them, with the
    // EACCES that programs expect; without it only a read-only mount does, with EROFS.
    if (facts.landlock < LANDLOCK_WITH_TRUNCATE) {
      flags |= SpecFlag.readOnlyRoot;
    }
    flags |= SpecFlag.launcherMakesNamespaces;
    namespaces |= Namespace.user;
    idMap = IdMap.caller;
    uid = INNER_UID;
    gid = INNER_UID;
    mechanisms.push('user-namespace');
  }
  mechanisms.push(...COMMON_MECHANISMS);
  if (!wishes.allowExec) {
    mechanisms.push('exec-listener');
  }
  if (facts.landlock > 0) {
    flags |= SpecFlag.landlock;
    mechanisms.push(`landlock-${facts.landlock}`);
  }
  if (wishes.profile !== undefined) {
    mechanisms.push(`apparmor:${wishes.profile}`);
  }
  return {
    flags,
    namespaces,
    idMap,
    uid,
    gid,
    outerUid,
    outerGid,
    uidPool,
    appArmorProfile: wishes.profile,
    mechanisms,
  };
}

/** The ids of a user of this host, or null where there is none of that name. */
export function lookUpUser(name: string): { uid: number; gid: number } | null {
  return native().addon.lookUpUser(name);
}
