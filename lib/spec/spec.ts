// The spec of one call: all that the launcher will do, as plain data.
import type { Confinement } from '../confinement/plan';
import { newJailName } from '../host/jail-name';
import type { HostView } from '../host/runtime';
import type { JsonText } from '../json/text-buffers';
import type { Limits } from '../limits';
import { RecordKind, SpecFlag, type NativeRecord, type NativeSpec } from '../native/addon';
import { TMP_NAME, type HostFile, type JailFile, type StartDirectory } from './files';
import { rootSize } from './input-size';
import { nativeLimits, NO_LIMIT } from './limits';
import {
  appArmorRecords,
  directoryRecords,
  hostPart,
  landlockRecords,
  rootRecords,
} from './records';

const MEBIBYTE = 1024 * 1024;

/** What one call wants to run. */
export interface SpecRequest {
  program: string;
  /** All words, the program's own name first. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  copies: readonly HostFile[];
  files: readonly JailFile[];
  /** Where it starts. Default: the jail's directory. */
  cwd?: StartDirectory | undefined;
  /** Handed over as descriptor 3, with a result channel as descriptor 4. */
  request?: JsonText | undefined;
  collects: boolean;
  /** Whether what the program tries in vain is told. */
  explains?: boolean | undefined;
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

// For programs that ask who runs them: the jail shows no /etc/passwd.
const USER_NAME = 'codejail';

/** What every program finds in its environment, where nobody has set it otherwise. */
export function standardEnvironment(tmp: string): Record<string, string> {
  return {
    ...{ TMPDIR: tmp, HOME: tmp, LANG: 'C.UTF-8', PATH: '/usr/bin:/bin' },
    ...{ USER: USER_NAME, LOGNAME: USER_NAME },
  };
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
  const tmp = `${directory}/${TMP_NAME}`;
  const env = { ...standardEnvironment(tmp), ...request.env };
  const hasOwnRoot = (confinement.flags & SpecFlag.ownRoot) !== 0;
  const records: NativeRecord[] = [
    {
      kind: RecordKind.stage,
      path: '/tmp',
      ...rootSize(limits, request.files, request.copies.length),
    },
    { kind: RecordKind.workingDirectory, path: request.cwd === TMP_NAME ? tmp : directory },
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
      flags:
        confinement.flags |
        (request.collects ? SpecFlag.sendTmpDirectory : 0) |
        (request.explains === true ? SpecFlag.explain : 0),
      ...nativeLimits(limits, confinement),
      ...(request.cgroupAlone === true ? LEFT_TO_CGROUP : {}),
      cgroup: cgroupOf(confinement, limits),
      request: typeof request.request === 'string' ? Buffer.from(request.request) : undefined,
      records,
    },
  };
}
