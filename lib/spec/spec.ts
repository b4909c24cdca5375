// The spec of one call: all that the launcher will do, as plain data.
import type { Confinement } from '../confinement/plan';
import { newJailName } from '../host/jail-name';
import type { HostView } from '../host/view';
import type { Limits } from '../limits';
import { RecordKind, SpecFlag, type NativeRecord, type NativeSpec } from '../native/spec';
import type { RunPlan } from '../run/run-call';
import type { Call } from './call';
import { TMP_NAME } from './files';
import { rootSize } from './input-size';
import { nativeLimits, type NativeLimits } from './limits';
import {
  appArmorRecords,
  directoryRecords,
  hostPart,
  landlockRecords,
  rootRecords,
} from './records';

const MEBIBYTE = 1024 * 1024;

/** What the jails of a command have in common: what the host and its configuration decide, and no call. */
export interface JailPlan extends RunPlan {
  confinement: Confinement;
  /** What of the host they show. */
  view: HostView;
  program: string;
  /** The words before a call's own, the program's name first. */
  words: readonly string[];
  /** The program's environment, where a call has this one of its own. */
  environment: (own: Call['env']) => Readonly<Record<string, string>>;
  /** For the probes: leaves memory and tasks to the cgroup, so that it is seen to hold by itself. */
  cgroupAlone?: boolean | undefined;
}

export interface JailSpec {
  native: NativeSpec & NativeLimits;
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
    tasks: limits.nproc === 0 ? undefined : limits.nproc + launchers,
    // Files in a tmpfs are memory too, to the kernel.
    memoryBytes:
      limits.memory === 0 || limits.disk === 0
        ? undefined
        : limits.memory + limits.disk + UNCOUNTED_MEMORY,
  };
}

function leftToCgroup(limits: NativeLimits): NativeLimits {
  const rlimits = { ...limits.rlimits, RLIMIT_DATA: undefined, RLIMIT_NPROC: undefined };
  return { ...limits, rlimits, memoryBytes: undefined };
}

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
 * @param areFilesStored whether the call's files are left out too
 */
export function buildSpec(call: Call, plan: JailPlan, areFilesStored = false): JailSpec {
  const { limits } = call;
  const { confinement, view } = plan;
  const directory = `/tmp/${newJailName()}`;
  const tmp = `${directory}/${TMP_NAME}`;
  const env = { ...standardEnvironment(tmp), ...plan.environment(call.env) };
  const hasOwnRoot = (confinement.flags & SpecFlag.ownRoot) !== 0;
  const bounds = nativeLimits(limits, confinement);
  const records: NativeRecord[] = [
    {
      kind: RecordKind.stage,
      path: '/tmp',
      ...rootSize(limits, call.files, call.copies.length),
    },
    { kind: RecordKind.workingDirectory, path: call.cwd === TMP_NAME ? tmp : directory },
    { kind: RecordKind.tmpDirectory, path: tmp },
    { kind: RecordKind.program, path: plan.program },
    ...[...plan.words, ...call.argv].map((data) => ({ kind: RecordKind.argument, data })),
    ...Object.entries(env).map(([name, value]) => ({
      kind: RecordKind.environment,
      data: `${name}=${value}`,
    })),
    ...(hasOwnRoot ? rootRecords(view) : []),
    ...directoryRecords(directory, call, limits, areFilesStored),
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
        (call.collect.length > 0 ? SpecFlag.sendTmpDirectory : 0) |
        (call.explain ? SpecFlag.explain : 0),
      ...(plan.cgroupAlone === true ? leftToCgroup(bounds) : bounds),
      cgroup: cgroupOf(confinement, limits),
      request: typeof call.request === 'string' ? Buffer.from(call.request) : undefined,
      records,
    },
  };
}
