// The spec of one call: all that the launcher will do, as plain data.
import type { Confinement } from './confinement';
import type { HostFile } from './jail-files';
import { newJailName } from './jail-name';
import { leaseDirectory } from './lease-directory';
import { copyBytes, rootSize } from './input-size';
import { ZERO_LIMITS, type DiskLimits, type Limits } from './limits';
import { native, RecordKind, SpecFlag, type NativeRecord, type NativeSpec } from './native';
import type { HostView } from './runtime';
import type { JsonText } from './json/text-buffers';

/** A file that is made inside the jail. */
export interface JailFile {
  /** Relative to the jail's directory. */
  name: string;
  content: string | Uint8Array;
}

/** What one call wants to run. */
export interface SpecRequest {
  program: string;
  /** All words, the program's own name first. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  copies: readonly HostFile[];
  files: readonly JailFile[];
  /** Handed over as descriptor 3, with a result channel as descriptor 4. */
  request?: JsonText | undefined;
  collects: boolean;
  /** For the probes: leaves memory and tasks to the cgroup, so that it is seen to hold by itself. */
  cgroupAlone?: boolean | undefined;
}

export interface JailSpec {
  native: NativeSpec;
  /** The jail's directory, as the program sees it. */
  directory: string;
  /** Whether the directory is on the host, for the server to remove. */
  onHost: boolean;
}

const NO_LIMIT = -1;
const MAX_OPEN_FILES = 128;
const MEBIBYTE = 1024 * 1024;
const DEVICES = ['/dev/null', '/dev/full', '/dev/random', '/dev/urandom'];
const DEVICE_LINKS: [path: string, target: string][] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
];
const READ_ONLY_DIRECTORY = 0o555;
const READ_ONLY_FILE = 0o444;
const UNLISTABLE_DIRECTORY = 0o111;

/** The limits of a call, as the native half takes them. */
export type NativeLimits = Pick<
  NativeSpec,
  | 'cpuMicroseconds'
  | 'rlimitCpuSeconds'
  | 'rlimitAs'
  | 'rlimitData'
  | 'rlimitFsize'
  | 'rlimitNproc'
  | 'rlimitNofile'
  | 'memoryBytes'
>;

function orNone(limit: number): number {
  return limit === 0 ? NO_LIMIT : limit;
}

// The sampled sum is what counts; this is the wall behind it, for a burst between two samples.
function dataLimit(memory: number): number {
  return memory === 0 ? NO_LIMIT : memory + Math.max(32 * MEBIBYTE, Math.ceil(memory / 4));
}

// The kernel counts a process's own limit by ticks, a fifth more than was used on a busy host; the sums,
// which decide, go by the clock.
const TICKS_ASTRAY = 1.25;

// The launcher counts too, where it runs under the same real uid.
function taskLimit(nproc: number, confinement: Confinement): number {
  const isApart = (confinement.flags & SpecFlag.reaperByUid) !== 0;
  return nproc === 0 ? NO_LIMIT : isApart ? nproc : nproc + 1;
}

/** What the limits of a call mean in such a jail. */
export function nativeLimits(limits: Limits, confinement: Confinement): NativeLimits {
  return {
    cpuMicroseconds: limits.cpu === 0 ? NO_LIMIT : Math.round(limits.cpu * 1e6),
    rlimitCpuSeconds: limits.cpu === 0 ? NO_LIMIT : Math.ceil(limits.cpu * TICKS_ASTRAY),
    rlimitAs: orNone(limits.vmem),
    rlimitData: dataLimit(limits.memory),
    rlimitFsize: limits.fsize,
    rlimitNproc: taskLimit(limits.nproc, confinement),
    rlimitNofile: MAX_OPEN_FILES,
    memoryBytes: orNone(limits.memory),
  };
}

// For what `memory` does not count: pages of libraries and what the kernel keeps for the jail.
const UNCOUNTED_MEMORY = 32 * MEBIBYTE;

function cgroupOf(confinement: Confinement, limits: Limits): NativeSpec['cgroup'] {
  if (confinement.cgroup === undefined) {
    return undefined;
  }
  const launchers = (confinement.flags & SpecFlag.launcherMakesNamespaces) === 0 ? 1 : 2;
  return {
    parent: confinement.cgroup,
    tasks: limits.nproc === 0 ? NO_LIMIT : limits.nproc + launchers,
    // Files in a tmpfs are memory too, to the kernel.
    memoryBytes:
      limits.memory === 0 || limits.disk === 0
        ? NO_LIMIT
        : limits.memory + limits.disk + UNCOUNTED_MEMORY,
  };
}

const LEFT_TO_CGROUP = { rlimitData: NO_LIMIT, rlimitNproc: NO_LIMIT, memoryBytes: NO_LIMIT };

/** What Landlock lets the program reach; everything, where the root is the jail's own. */
function landlockRecords(
  view: HostView,
  directory: string,
  confinement: Confinement,
): NativeRecord[] {
  const hasOwnRoot = (confinement.flags & SpecFlag.ownRoot) !== 0;
  const readable = hasOwnRoot ? ['/'] : [...view.binds, directory, ...DEVICES];
  return [
    ...readable.map((path) => ({ kind: RecordKind.landlockRead, path })),
    ...[`${directory}/tmp`, '/dev/null', '/dev/full'].map((path) => ({
      kind: RecordKind.landlockWrite,
      path,
    })),
  ];
}

function rootRecords(view: HostView): NativeRecord[] {
  return [
    ...view.links.map(({ path, target }) => ({ kind: RecordKind.symlink, path, data: target })),
    { kind: RecordKind.directory, path: '/tmp', mode: UNLISTABLE_DIRECTORY },
    ...view.binds.map((path) => ({ kind: RecordKind.bind, path, data: path })),
    { kind: RecordKind.proc, path: '/proc' },
    ...DEVICES.map((path) => ({ kind: RecordKind.device, path })),
    ...DEVICE_LINKS.map(([path, target]) => ({ kind: RecordKind.symlink, path, data: target })),
  ];
}

/** The directories that must be there before a file of this name can be. */
export function parents(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

function directoryRecords(
  directory: string,
  request: Pick<SpecRequest, 'files' | 'copies'>,
  limits: DiskLimits & Pick<Limits, 'input'>,
): NativeRecord[] {
  const first = request.copies.length === 0 ? 0 : copyBytes(limits, request.files);
  const subdirectories = new Set(request.files.flatMap((file) => parents(file.name)));
  return [
    { kind: RecordKind.directory, path: directory, mode: READ_ONLY_DIRECTORY },
    ...request.copies.map(({ path, name }) => ({
      kind: RecordKind.copy,
      path: `${directory}/${name}`,
      data: path,
      first,
    })),
    ...[...subdirectories].map((name) => ({
      kind: RecordKind.directory,
      path: `${directory}/${name}`,
      mode: READ_ONLY_DIRECTORY,
    })),
    ...request.files.map(({ name, content }) => ({
      kind: RecordKind.file,
      path: `${directory}/${name}`,
      data: content,
      mode: READ_ONLY_FILE,
    })),
    {
      kind: RecordKind.tmpfs,
      path: `${directory}/tmp`,
      mode: 0o700,
      first: limits.disk,
      second: limits.files,
    },
  ];
}

function hostPart(
  confinement: Confinement,
): Pick<
  NativeSpec,
  | 'launcher'
  | 'flags'
  | 'namespaces'
  | 'idMap'
  | 'uid'
  | 'gid'
  | 'outerUid'
  | 'outerGid'
  | 'uidPool'
> {
  const { uidPool } = confinement;
  return {
    launcher: native().launcher,
    flags: confinement.flags,
    namespaces: confinement.namespaces,
    idMap: confinement.idMap,
    uid: confinement.uid,
    gid: confinement.gid,
    outerUid: confinement.outerUid,
    outerGid: confinement.outerGid,
    uidPool: uidPool === undefined ? undefined : { directory: leaseDirectory(), ...uidPool },
  };
}

function appArmorRecords({ appArmorProfile }: Confinement): NativeRecord[] {
  return appArmorProfile === undefined
    ? []
    : [{ kind: RecordKind.appArmorProfile, data: appArmorProfile }];
}

// More than a call brings that a cell may serve (lib/warm/rule.ts).
const CELL_DIRECTORY_SIZE = { first: 32 * MEBIBYTE, second: 8192 };

/**
 * Builds the spec of a template's cells: what is a cell's own, over a copy of its template's root.
 * @param directory the cell's own
 * @param confinement the cell's, by `planWarm`
 * @param files what every call finds in its directory
 * @param isUrgent whether it is wanted at once: then nothing is done ahead that only makes calls faster
 */
export function buildCellSpec(
  directory: string,
  confinement: Confinement,
  limits: DiskLimits,
  files: readonly JailFile[],
  isUrgent: boolean,
): NativeSpec {
  return {
    ...hostPart(confinement),
    flags: confinement.flags | (isUrgent ? SpecFlag.urgent : 0),
    // The call's own are given to the cell when the call begins.
    ...nativeLimits({ ...ZERO_LIMITS, ...limits }, confinement),
    records: [
      { kind: RecordKind.workingDirectory, path: directory },
      { kind: RecordKind.tmpDirectory, path: `${directory}/tmp` },
      { kind: RecordKind.proc, path: '/proc' },
      { kind: RecordKind.tmpfs, path: '/tmp', mode: UNLISTABLE_DIRECTORY, ...CELL_DIRECTORY_SIZE },
      ...directoryRecords(directory, { files, copies: [] }, { ...limits, input: 0 }),
      ...landlockRecords({ binds: [], links: [] }, directory, confinement),
      ...appArmorRecords(confinement),
    ],
  };
}

/** What every program finds in its environment, where nobody has set it otherwise. */
export function standardEnvironment(tmp: string): Record<string, string> {
  return { TMPDIR: tmp, HOME: tmp, LANG: 'C.UTF-8', PATH: '/usr/bin:/bin' };
}

/**
 * Builds the spec of one call; a request in pieces is left out, which has to be a file already.
 * @param confinement what the host decides
 * @param view what of the host the jail shows
 * @param limits the effective limits
 */
export function buildSpec(
  confinement: Confinement,
  view: HostView,
  limits: Limits,
  request: SpecRequest,
): JailSpec {
  const directory = `/tmp/${newJailName()}`;
  const tmp = `${directory}/tmp`;
  const env = { ...standardEnvironment(tmp), ...request.env };
  const hasOwnRoot = (confinement.flags & SpecFlag.ownRoot) !== 0;
  const records: NativeRecord[] = [
    {
      kind: RecordKind.stage,
      path: '/tmp',
      ...rootSize(limits, request.files, request.copies.length),
    },
    { kind: RecordKind.workingDirectory, path: directory },
    { kind: RecordKind.tmpDirectory, path: tmp },
    { kind: RecordKind.program, path: request.program },
    ...request.argv.map((data) => ({ kind: RecordKind.argument, data })),
    ...Object.entries(env).map(([name, value]) => ({
      kind: RecordKind.environment,
      data: `${name}=${value}`,
    })),
    ...(hasOwnRoot ? rootRecords(view) : []),
    ...directoryRecords(directory, request, limits),
    ...landlockRecords(view, directory, confinement),
    ...appArmorRecords(confinement),
  ];
  return {
    directory,
    onHost: !hasOwnRoot,
    native: {
      ...hostPart(confinement),
      flags: confinement.flags | (request.collects ? SpecFlag.sendTmpDirectory : 0),
      ...nativeLimits(limits, confinement),
      ...(request.cgroupAlone === true ? LEFT_TO_CGROUP : {}),
      cgroup: cgroupOf(confinement, limits),
      request: typeof request.request === 'string' ? Buffer.from(request.request) : undefined,
      records,
    },
  };
}
