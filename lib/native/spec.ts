// All that a launcher or a cell will do, as the addon takes it.

/** Bits of `NativeSpec.flags`; native/core/spec.h has the same. */
export const SpecFlag = {
  ownRoot: 1 << 0,
  readOnlyRoot: 1 << 1,
  allowExec: 1 << 2,
  dropGroups: 1 << 3,
  landlock: 1 << 4,
  sendTmpDirectory: 1 << 5,
  launcherMakesNamespaces: 1 << 6,
  isolateHostname: 1 << 7,
  reaperByUid: 1 << 8,
  seccomp: 1 << 9,
  noUnixSockets: 1 << 10,
  noTruncation: 1 << 12,
  explain: 1 << 13,
  template: 1 << 16,
  urgent: 1 << 17,
} as const;

/** Namespace flags of clone(2). */
export const Namespace = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;

/** How the ids of a user namespace are mapped; native/core/spec.h has the same. */
export const IdMap = { none: 0, caller: 1, sandbox: 2, outer: 3 } as const;

/** The kinds of records; native/core/spec.h has the same. */
export const RecordKind = {
  directory: 0,
  symlink: 1,
  file: 2,
  copy: 3,
  bind: 4,
  tmpfs: 5,
  proc: 6,
  device: 7,
  stage: 8,
  workingDirectory: 9,
  tmpDirectory: 10,
  program: 11,
  argument: 12,
  environment: 13,
  appArmorProfile: 14,
  landlockRead: 15,
  landlockWrite: 16,
} as const;

export interface NativeRecord {
  kind: number;
  path?: string;
  data?: string | Uint8Array;
  mode?: number;
  /** Of a bound: undefined where there is none. */
  first?: number | undefined;
  second?: number | undefined;
}

/** A record whose data is in pieces. */
export interface FileRecord extends Pick<NativeRecord, 'kind' | 'mode' | 'first'> {
  path: string;
  pieces: readonly Uint8Array[];
}

/** Which namespaces a jail has, and who it is in them and on the host. */
export interface NativeConfinement {
  /** Of `SpecFlag`. */
  flags: number;
  /** Of `Namespace`. */
  namespaces: number;
  /** An `IdMap`. */
  idMap: number;
  uid: number;
  gid: number;
  outerUid: number;
  outerGid: number;
}

/** The limits of a jail; undefined: none. */
export interface NativeLimits {
  cpuMicroseconds: number | undefined;
  memoryBytes: number | undefined;
  /** By their names in setrlimit(2); native/core/rlimits.h has the same. */
  rlimits: Readonly<Record<string, number | undefined>>;
}

/** All that the launcher will do. */
export interface NativeSpec extends NativeConfinement, NativeLimits {
  launcher: string;
  uidPool?: { directory: string; first: number; count: number } | undefined;
  /** A cgroup of the jail's own below `parent`; `memoryBytes` over what the set-up takes. Limits: undefined: none. */
  cgroup?:
    { parent: string; tasks: number | undefined; memoryBytes: number | undefined } | undefined;
  /** Its bytes, or a descriptor of `writeRequest`'s, which the jail takes. */
  request?: Uint8Array | number | undefined;
  /** A descriptor of `openFiles`'s, with records that come after all others; the jail takes it. */
  storedFiles?: number | undefined;
  records: readonly NativeRecord[];
}
