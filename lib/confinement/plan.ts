// How a jail is confined on this host: which namespaces, whose uid, which further locks.
import { SetupError } from '../errors';
import { hostFacts, type HostFacts } from '../host/host';
import { native, type NativeFailure } from '../native/addon';
import { IdMap, Namespace, SpecFlag, type NativeConfinement } from '../native/spec';

/**
 * A range of uids (and gids of the same numbers) that belong to jails alone. Where there is no PID
 * namespace, the `count` uids after it belong to their launchers.
 */
export interface UidPool {
  first: number;
  count: number;
}

/** Above what distributions, containers and directory services hand out. */
export const DEFAULT_UID_POOL: UidPool = { first: 1_900_000_000, count: 4096 };

/** The uid that a program of an unprivileged jail sees; outside it is the caller's own. */
const INNER_UID = 1000;

/** The version of Landlock from which a file can not be emptied either (landlock(7)). */
export const LANDLOCK_WITH_TRUNCATE = 3;

/** The part of a spec that the host decides, not the call. */
export interface Confinement extends NativeConfinement {
  uidPool: UidPool | undefined;
  /** The cgroup of the server, below which each jail has one of its own. */
  cgroup: string | undefined;
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
/** Of every jail, on every host: what the server and the launcher do themselves. */
export const LIBRARY_MECHANISMS = ['sampled-sums', 'timer', 'bounded-readers'];
const COMMON_MECHANISMS = ['no-capabilities', 'no-new-privs', 'seccomp', 'rlimits'];

/** What a command asks of its confinement. */
export interface ConfinementWishes {
  allowExec: boolean;
  profile: string | undefined;
  user: { uid: number; gid: number } | undefined;
  uidPool: UidPool;
  /** Where the server has one; `required`: the operator has named it, so that no jail may be without. */
  cgroup?: { directory: string; required: boolean } | undefined;
}

interface Choice {
  flags: number;
  namespaces: number;
  idMap: number;
  ids: { uid: number; gid: number };
  outer: { uid: number; gid: number };
  uidPool: UidPool | undefined;
  mechanisms: string[];
}

const ROOT_FLAGS = SpecFlag.ownRoot | SpecFlag.isolateHostname;
const NO_IDS = { uid: 0, gid: 0 };

/** Root: all namespaces but a user namespace, and a uid of the pool. */
function byUidPool(uidPool: UidPool): Choice {
  return {
    flags: ROOT_FLAGS | SpecFlag.dropGroups,
    namespaces: SHARED_NAMESPACES,
    idMap: IdMap.none,
    ids: NO_IDS,
    outer: NO_IDS,
    uidPool,
    mechanisms: [...NAMESPACE_MECHANISMS, 'uid-pool', 'tmpfs'],
  };
}

/** Root with a sandbox user. A user namespace gives each jail of the user a task count of its own. */
function bySandboxUser(user: { uid: number; gid: number }): Choice {
  return {
    flags: ROOT_FLAGS | SpecFlag.dropGroups | SpecFlag.launcherMakesNamespaces,
    namespaces: SHARED_NAMESPACES | Namespace.user,
    idMap: IdMap.sandbox,
    ids: user,
    outer: user,
    uidPool: undefined,
    mechanisms: [...NAMESPACE_MECHANISMS, 'user-namespace', 'sandbox-user', 'tmpfs'],
  };
}

/** An ordinary user: all namespaces, with the caller's uid as another one inside. */
function byUserNamespace(facts: HostFacts): Choice {
  // The files belong to the jail's own uid here. Landlock then keeps it from changing them, with the
  // EACCES that programs expect; without it only a read-only mount does, with EROFS.
  const readOnly = facts.landlock < LANDLOCK_WITH_TRUNCATE ? SpecFlag.readOnlyRoot : 0;
  return {
    flags: ROOT_FLAGS | SpecFlag.launcherMakesNamespaces | readOnly,
    namespaces: SHARED_NAMESPACES | Namespace.user,
    idMap: IdMap.caller,
    ids: { uid: INNER_UID, gid: INNER_UID },
    outer: { uid: facts.uid, gid: facts.gid },
    uidPool: undefined,
    mechanisms: [...NAMESPACE_MECHANISMS, 'user-namespace', 'tmpfs'],
  };
}

/**
 * No namespace at all, as in a stock container: a uid of the pool, Landlock and seccomp. The total of
 * the disk is not limited.
 */
function byUidAndLandlock(uidPool: UidPool, facts: HostFacts): Choice {
  // The whole of the container is in sight: what modes let anybody write could be emptied.
  const noTruncation = facts.landlock < LANDLOCK_WITH_TRUNCATE ? SpecFlag.noTruncation : 0;
  return {
    flags: SpecFlag.dropGroups | SpecFlag.reaperByUid | SpecFlag.noUnixSockets | noTruncation,
    namespaces: 0,
    idMap: IdMap.none,
    ids: NO_IDS,
    outer: NO_IDS,
    uidPool,
    mechanisms: ['uid-pool'],
  };
}

const CGROUP_MECHANISMS = ['cgroup-memory', 'cgroup-pids', 'cgroup-cpu', 'cgroup-kill'];

function choicesFor(wishes: ConfinementWishes, facts: HostFacts): Choice[] {
  switch (facts.kind) {
    case 'root':
      return [wishes.user === undefined ? byUidPool(wishes.uidPool) : bySandboxUser(wishes.user)];
    case 'container':
      return [byUserNamespace(facts), byUidAndLandlock(wishes.uidPool, facts)];
    case 'user':
      return [byUserNamespace(facts)];
  }
}

/**
 * Decides how to confine on a host of these facts, best first; changes nothing. Where the best one can't
 * be made, the next is to be tried.
 */
export function planConfinement(
  wishes: ConfinementWishes,
  facts: HostFacts = hostFacts(),
): Confinement[] {
  const { cgroup } = wishes;
  const cgroups =
    cgroup === undefined
      ? [undefined]
      : cgroup.required
        ? [cgroup.directory]
        : [cgroup.directory, undefined];
  const choices = choicesFor(wishes, facts).flatMap((choice) =>
    cgroups.map((directory) => ({ ...choice, cgroup: directory })),
  );
  return choices.map((choice) => {
    const mechanisms = [
      ...choice.mechanisms,
      ...COMMON_MECHANISMS,
      ...(choice.cgroup === undefined ? [] : CGROUP_MECHANISMS),
    ];
    let flags = choice.flags | SpecFlag.seccomp;
    if (wishes.allowExec) {
      flags |= SpecFlag.allowExec;
    } else {
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
      namespaces: choice.namespaces,
      idMap: choice.idMap,
      uid: choice.ids.uid,
      gid: choice.ids.gid,
      outerUid: choice.outer.uid,
      outerGid: choice.outer.gid,
      uidPool: choice.uidPool,
      cgroup: choice.cgroup,
      appArmorProfile: wishes.profile,
      mechanisms,
    };
  });
}

/** How a template and its cells are confined where the cold calls of the command are as `cold`. */
export interface WarmConfinement {
  template: Confinement;
  cell: Confinement;
}

/**
 * Derives the confinement of warm Python: a template in a user namespace of its own, as the root of which
 * it makes cells, each in a further user namespace without any capability. The host's uid is the same
 * as a cold call's. To be asked for only where `whyNeverWarm` names no reason.
 */
export function planWarm(cold: Confinement): WarmConfinement {
  const byCaller = cold.idMap === IdMap.caller;
  const common = {
    // Cells are forked where their template is: none has a cgroup of its own.
    cgroup: undefined,
    appArmorProfile: cold.appArmorProfile,
    mechanisms: cold.mechanisms,
  };
  return {
    template: {
      ...common,
      appArmorProfile: undefined,
      flags:
        ROOT_FLAGS |
        // All of its cells see this one root, whose files belong to their uid: no mode can keep a program from changing
        // what the others find there.
        SpecFlag.readOnlyRoot |
        SpecFlag.launcherMakesNamespaces |
        SpecFlag.template |
        (cold.flags & SpecFlag.dropGroups),
      namespaces: SHARED_NAMESPACES | Namespace.user,
      idMap: byCaller ? IdMap.caller : IdMap.outer,
      ...NO_IDS,
      outerUid: cold.outerUid,
      outerGid: cold.outerGid,
      uidPool: cold.uidPool,
    },
    cell: {
      ...common,
      flags: SpecFlag.ownRoot | SpecFlag.landlock | SpecFlag.seccomp,
      namespaces:
        Namespace.user |
        Namespace.pid |
        Namespace.mount |
        // Abstract sockets belong to it: Landlock refuses to connect to a sibling's, but not to
        // find by bind that its name is taken.
        Namespace.network,
      idMap: IdMap.outer,
      uid: INNER_UID,
      gid: INNER_UID,
      outerUid: NO_IDS.uid,
      outerGid: NO_IDS.gid,
      uidPool: undefined,
    },
  };
}

/**
 * The ids of a user of this host, or undefined where there is none of that name.
 * @throws SetupError where the host could not be asked
 */
export function lookUpUser(name: string): { uid: number; gid: number } | undefined {
  const { addon } = native();
  try {
    return addon.lookUpUser(name);
  } catch (cause) {
    const { errno = 0, syscall } = cause as Partial<NativeFailure>;
    throw new SetupError('look up the user', errno, { syscall, detail: name, cause });
  }
}
