// What specs of jails and of cells have in common: records of the jail's file system, and who it is on the host.
import type { Confinement } from '../confinement/plan';
import { leaseDirectory } from '../host/lease-directory';
import type { HostView } from '../host/view';
import type { DiskLimits, Limits } from '../limits';
import { native } from '../native/addon';
import {
  RecordKind,
  SpecFlag,
  type FileRecord,
  type NativeConfinement,
  type NativeRecord,
  type NativeSpec,
} from '../native/spec';
import {
  isInTmp,
  LongContent,
  parents,
  piecesOf,
  TMP_NAME,
  type Content,
  type HostFile,
  type JailFile,
} from './files';
import { copyBytes } from './input-size';
import { boundOf } from './rlimits';

const DEVICES = ['/dev/null', '/dev/full', '/dev/random', '/dev/urandom'];
/**
 * Where shared memory is, to which /dev/shm leads: not there itself, so that a profile can allow it in a root of the
 * jail's own, and not the host's where there is none.
 */
const SHARED_MEMORY = '/dev/codejail-shm';
const DEVICE_LINKS: [path: string, target: string][] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/shm', SHARED_MEMORY],
];
const READ_ONLY_DIRECTORY = 0o555;
const READ_ONLY_FILE = 0o444;
/** In `first` of a file or directory; native/core/spec.h has the same. */
const BELONGS_TO_PROGRAM = 1;
const OWN_DIRECTORY = { mode: 0o755, first: BELONGS_TO_PROGRAM };
const OWN_FILE_MODE = 0o644;
/** The mode of a directory in which a program finds only what it knows the name of. */
export const UNLISTABLE_DIRECTORY = 0o111;

/** What Landlock lets the program reach; everything, where the root is the jail's own. */
export function landlockRecords(
  view: HostView,
  directory: string,
  confinement: Confinement,
): NativeRecord[] {
  const hasOwnRoot = (confinement.flags & SpecFlag.ownRoot) !== 0;
  const readable = hasOwnRoot ? ['/'] : [...view.binds, directory, ...DEVICES];
  const shared = hasOwnRoot ? [SHARED_MEMORY] : [];
  return [
    ...readable.map((path) => ({ kind: RecordKind.landlockRead, path })),
    ...[`${directory}/${TMP_NAME}`, ...shared, '/dev/null', '/dev/full'].map((path) => ({
      kind: RecordKind.landlockWrite,
      path,
    })),
  ];
}

/** The root of a jail that has one of its own: what it shows of the host, /proc and the devices. */
export function rootRecords(view: HostView): NativeRecord[] {
  return [
    ...view.links.map(({ path, target }) => ({ kind: RecordKind.symlink, path, data: target })),
    { kind: RecordKind.directory, path: '/tmp', mode: UNLISTABLE_DIRECTORY },
    ...view.binds.map((path) => ({ kind: RecordKind.bind, path, data: path })),
    { kind: RecordKind.proc, path: '/proc' },
    ...DEVICES.map((path) => ({ kind: RecordKind.device, path })),
    ...DEVICE_LINKS.map(([path, target]) => ({ kind: RecordKind.symlink, path, data: target })),
  ];
}

/** Reads as the owner may, for everybody: the program is another user, or may write nothing there in any case. */
function readOnlyMode(mode: number | undefined): number {
  return mode === undefined ? READ_ONLY_FILE : ((mode >> 6) & 0o5) * 0o111;
}

/** The directories and files of a call, each directory before what is in it. */
function* entriesOf(
  directory: string,
  files: Iterable<JailFile>,
): Generator<NativeRecord & { path: string; content: Content }, undefined> {
  const made = new Set<string>([TMP_NAME]);
  for (const { name, content, mode } of files) {
    for (const parent of parents(name)) {
      if (!made.has(parent)) {
        made.add(parent);
        yield {
          kind: RecordKind.directory,
          path: `${directory}/${parent}`,
          content: '',
          ...(isInTmp(parent) ? OWN_DIRECTORY : { mode: READ_ONLY_DIRECTORY }),
        };
      }
    }
    yield {
      kind: RecordKind.file,
      path: `${directory}/${name}`,
      content,
      ...(isInTmp(name)
        ? { mode: mode ?? OWN_FILE_MODE, first: BELONGS_TO_PROGRAM }
        : { mode: readOnlyMode(mode) }),
    };
  }
}

function fileRecords(directory: string, files: readonly JailFile[]): NativeRecord[] {
  return Array.from(entriesOf(directory, files), ({ content, ...record }) => ({
    ...record,
    data: content instanceof LongContent ? Buffer.concat(content.pieces) : content,
  }));
}

/** What `directoryRecords` has of a call's files, where these are written ahead of it. */
export function* storedRecords(
  directory: string,
  files: readonly JailFile[],
): Generator<FileRecord, undefined> {
  for (const { content, ...record } of entriesOf(directory, files)) {
    yield { ...record, pieces: piecesOf(content) };
  }
}

/**
 * The jail's directory: what is copied into it and written there, and its `tmp`.
 * @param areFilesStored whether the files are in the spec already (`storedRecords`)
 */
export function directoryRecords(
  directory: string,
  { files, copies }: { files: readonly JailFile[]; copies: readonly HostFile[] },
  limits: DiskLimits & Pick<Limits, 'input'>,
  areFilesStored = false,
): NativeRecord[] {
  const first = copies.length === 0 ? undefined : copyBytes(limits, files);
  const written = areFilesStored ? [] : files;
  return [
    { kind: RecordKind.directory, path: directory, mode: READ_ONLY_DIRECTORY },
    ...copies.map(({ path, name }) => ({
      kind: RecordKind.copy,
      path: `${directory}/${name}`,
      data: path,
      first,
    })),
    ...fileRecords(
      directory,
      written.filter(({ name }) => !isInTmp(name)),
    ),
    {
      kind: RecordKind.tmpfs,
      path: `${directory}/${TMP_NAME}`,
      data: SHARED_MEMORY,
      mode: 0o700,
      first: boundOf(limits.disk),
      second: boundOf(limits.files),
    },
    ...fileRecords(
      directory,
      written.filter(({ name }) => isInTmp(name)),
    ),
  ];
}

/** Who the jail is on the host, and how it is confined. */
export function hostPart({
  uidPool,
  cgroup: _cgroup,
  appArmorProfile: _appArmorProfile,
  mechanisms: _mechanisms,
  ...confinement
}: Confinement): NativeConfinement & Pick<NativeSpec, 'launcher' | 'uidPool'> {
  return {
    ...confinement,
    launcher: native().launcher,
    uidPool: uidPool === undefined ? undefined : { directory: leaseDirectory(), ...uidPool },
  };
}

/** The AppArmor profile to change to, where there is one. */
export function appArmorRecords({ appArmorProfile }: Confinement): NativeRecord[] {
  return appArmorProfile === undefined
    ? []
    : [{ kind: RecordKind.appArmorProfile, data: appArmorProfile }];
}
