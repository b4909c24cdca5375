// Proof before trust: a program that tries to break each guarantee, inside a jail built exactly as a
// call's would be.
import { runCold } from '../cold/cold';
import {
  concernsGuarantees,
  isCheckId,
  missingAfterFailure,
  missingAfterProbe,
  type CheckId,
} from '../confinement/guarantees';
import { hostSettings, type HostSettings } from '../confinement/host-settings';
import type { Confinement } from '../confinement/plan';
import { SetupError, type MissingGuarantee } from '../errors';
import { GUARANTEE_NAMES, type GuaranteeName } from '../guarantee-names';
import { hostFacts, lastCapability, ownNamespaces } from '../host/host';
import type { HostView } from '../host/view';
import type { DiskLimits, Limits } from '../limits';
import { native } from '../native/addon';
import { Namespace, SpecFlag } from '../native/spec';
import type { Outcome } from '../run/result';
import type { RunResult } from '../run/conclusion';
import { PLAIN_CALL } from '../spec/call';
import type { JailPlan } from '../spec/spec';
import { isWithin } from '../text/is-within';
import { missingByStrangers } from './own-package';

/** One attempt to break a guarantee. */
export interface ProbeCheck {
  /** The guarantee that it tried to break. */
  guarantee: GuaranteeName;
  /** What was tried. */
  check: string;
  /** Whether the jail held. */
  held: boolean;
  /** What was seen. */
  seen: string;
}

/** The same, with what its cure is found by. */
interface IdentifiedCheck extends ProbeCheck {
  id?: CheckId | undefined;
}

/** What the probes found. */
export interface Proof {
  checks: ProbeCheck[];
  missing: MissingGuarantee[];
}

const MEBIBYTE = 1024 * 1024;
const PROBE_LIMITS: Limits = {
  cpu: 10,
  realtime: 20,
  extraTime: 0,
  vmem: 0,
  fsize: MEBIBYTE / 4,
  nproc: 4,
  memory: 64 * MEBIBYTE,
  stack: 8 * MEBIBYTE,
  openFiles: 256,
  disk: MEBIBYTE,
  files: 16,
  output: MEBIBYTE,
  input: 0,
  proxy: 0,
};

const PROBE_NAME = 'codejail-probe';

/** Runs the probe with these words in a jail of its own. */
export type RunProbe = (
  argv: readonly string[],
  limits: Limits,
  cgroupAlone?: boolean,
) => Promise<RunResult>;

/** The writable directory that a probe's jail must have. */
export const PROBE_DISK: DiskLimits = {
  disk: PROBE_LIMITS.disk,
  files: PROBE_LIMITS.files,
};

/** How the probe's jails are made: as a call's of this confinement and view would be. */
function planOfProbe(confinement: Confinement, view: HostView): JailPlan {
  const { probe: program } = native();
  const binds = view.binds.some((path) => isWithin(program, path))
    ? view.binds
    : [...view.binds, program];
  return {
    confinement,
    view: { ...view, binds },
    mechanisms: confinement.mechanisms,
    mayExec: false,
    program,
    words: [],
    environment: () => ({}),
  };
}

// Small numbers may be processes of the jail itself.
const FIRST_FOREIGN_PROCESS = 64;

async function attempts(
  run: RunProbe,
  confinement: Pick<Confinement, 'flags' | 'namespaces' | 'cgroup' | 'appArmorProfile'>,
): Promise<IdentifiedCheck[]> {
  const namespaces = await ownNamespaces();
  const hasOwnRoot = (confinement.flags & SpecFlag.ownRoot) !== 0;
  const settings = hostSettings(confinement);
  const expectations = {
    sentinel: process.pid > FIRST_FOREIGN_PROCESS ? `/proc/${process.pid}/environ` : '',
    // Where the jail shares one, the probe tries what else must hold instead.
    net: (confinement.namespaces & Namespace.network) === 0 ? '' : namespaces.net,
    pid_namespace: (confinement.namespaces & Namespace.pid) === 0 ? '' : namespaces.pid,
    user_namespace: namespaces.user,
    server: process.pid,
    core_handler: settings.coreHandler,
    server_uid: process.getuid?.() ?? -1,
    last_cap: lastCapability() ?? 0,
    // Landlock leaves it no /proc where the jail has no root of its own: the launcher reads its label then.
    profile: hasOwnRoot ? (confinement.appArmorProfile ?? '') : '',
    exec: (confinement.flags & SpecFlag.allowExec) === 0 ? 'denied' : 'allowed',
    memory: PROBE_LIMITS.memory,
    cpu: PROBE_LIMITS.cpu,
    nproc: PROBE_LIMITS.nproc,
    fsize: PROBE_LIMITS.fsize,
    disk: PROBE_LIMITS.disk,
    files: PROBE_LIMITS.files,
  };
  const words = Object.entries(expectations).map(([name, value]) => `${name}=${value}`);
  const ran = await run([PROBE_NAME, ...words], PROBE_LIMITS);
  return [
    ...readChecks(ran),
    ...(hasOwnRoot ? [] : labelChecks(ran, confinement)),
    ...hiddenPrograms(settings),
  ];
}

function labelChecks(
  { result }: RunResult,
  { appArmorProfile }: Pick<Confinement, 'appArmorProfile'>,
): ProbeCheck[] {
  if (appArmorProfile === undefined) {
    return [];
  }
  const held = result.confinement.includes(`apparmor:${appArmorProfile}`);
  return [
    {
      guarantee: 'files',
      check: 'run without its AppArmor profile',
      held,
      seen: held ? `${appArmorProfile} (enforce)` : 'another label',
    },
  ];
}

// Where /proc shows only who may be traced, the launcher sees no program that may not be read (ptrace(2), "dumpable").
// Who may execute programs finds one, and preloads a library of its own into it.
function hiddenPrograms({ hidesProcesses }: HostSettings): IdentifiedCheck[] {
  const attempt = {
    check: 'hide from the sums as a program that may not be read',
    held: false,
    seen: '/proc is mounted with hidepid',
    id: 'hide-from-sums',
  } as const;
  return hidesProcesses
    ? [
        { guarantee: 'memory', ...attempt },
        { guarantee: 'cpu', ...attempt },
      ]
    : [];
}

function readChecks({ result }: RunResult): IdentifiedCheck[] {
  const lines = result.stdout.toString().split('\n');
  const checks = lines
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length === 5)
    .map(([guarantee = '', check = '', held = '', seen = '', id = '']) => ({
      guarantee: guarantee as GuaranteeName,
      check,
      held: held === 'held',
      seen,
      id: isCheckId(id) ? id : undefined,
    }));
  const isWhole = lines.includes('end') && result.status === 0;
  // A probe that was cut off has proved nothing of what it had yet to try.
  return isWhole
    ? checks
    : [
        ...checks,
        ...GUARANTEE_NAMES.map((guarantee) => ({
          guarantee,
          check: 'end the probe early',
          held: false,
          seen: `${result.outcome}, status ${result.status} ${result.stderr.toString().trim()}`,
        })),
      ];
}

interface Misbehaviour {
  guarantee: GuaranteeName;
  check: string;
  words: string[];
  limits: Partial<Limits>;
  outcome: Outcome;
  /** Held by the jail's cgroup alone, without what stands beside it. */
  cgroupAlone?: boolean;
}

const MISBEHAVIOURS: Misbehaviour[] = [
  {
    guarantee: 'time',
    check: 'run longer than its limit',
    words: ['sleep'],
    limits: { realtime: 0.05 },
    outcome: 'time-limit',
  },
  {
    guarantee: 'output',
    check: 'write more output than its limit',
    words: ['flood'],
    limits: { output: MEBIBYTE },
    outcome: 'output-limit',
  },
  {
    guarantee: 'cpu',
    check: 'burn CPU in two processes',
    words: ['burn'],
    limits: { cpu: 0.04 },
    outcome: 'cpu-limit',
  },
  {
    guarantee: 'memory',
    check: 'hoard memory in two processes',
    words: ['hoard', String(12 * MEBIBYTE)],
    limits: { memory: 16 * MEBIBYTE },
    outcome: 'memory-limit',
  },
];

const CGROUP_MISBEHAVIOURS: Misbehaviour[] = [
  {
    guarantee: 'memory',
    check: 'hoard memory in two processes, past the cgroup alone',
    words: ['hoard', String(48 * MEBIBYTE)],
    limits: { memory: 16 * MEBIBYTE },
    outcome: 'memory-limit',
    cgroupAlone: true,
  },
  {
    guarantee: 'tasks',
    check: 'create more processes than its limit, past the cgroup alone',
    words: ['multiply', String(PROBE_LIMITS.nproc)],
    limits: {},
    outcome: 'exited',
    cgroupAlone: true,
  },
];

// All at a time where the pool has a uid for each. Waits for every one also when one fails: nothing of a
// refused call goes on.
async function settled<T>(work: readonly (() => Promise<T[]>)[], atATime: number): Promise<T[]> {
  const found: T[] = [];
  for (let first = 0; first < work.length; first += atATime) {
    const batch = work.slice(first, first + atATime).map(async (run) => run());
    await Promise.allSettled(batch);
    found.push(...(await Promise.all(batch)).flat());
  }
  return found;
}

function misbehaviours(
  run: RunProbe,
  confinement: Pick<Confinement, 'cgroup'>,
): (() => Promise<IdentifiedCheck[]>)[] {
  const cases =
    confinement.cgroup === undefined ? MISBEHAVIOURS : [...MISBEHAVIOURS, ...CGROUP_MISBEHAVIOURS];
  return cases.map(({ guarantee, check, words, limits, outcome, cgroupAlone }) => async () => {
    const { result } = await run(
      [PROBE_NAME, ...words],
      { ...PROBE_LIMITS, ...limits },
      cgroupAlone,
    );
    const held = result.outcome === outcome && result.status <= 0;
    return [{ guarantee, check, held, seen: `${result.outcome}, status ${result.status}` }];
  });
}

/** As callers are shown them. */
export function withoutIds(checks: readonly IdentifiedCheck[]): ProbeCheck[] {
  return checks.map(({ id: _id, ...check }) => check);
}

/**
 * Tries to break every guarantee, each in a jail of its own that `run` makes.
 * @param confinement how it is confined
 * @param atATime how many jails there may be at a time; all where it is undefined
 */
export async function probe(
  run: RunProbe,
  confinement: Pick<Confinement, 'flags' | 'namespaces' | 'cgroup' | 'appArmorProfile'>,
  atATime?: number,
): Promise<IdentifiedCheck[]> {
  const work = [async () => attempts(run, confinement), ...misbehaviours(run, confinement)];
  return settled(work, atATime ?? work.length);
}

/**
 * Tries to break every guarantee of a jail with this confinement and this view of the host.
 * @returns what was tried, and what is missing: nothing, where code may be run
 */
export async function prove(confinement: Confinement, view: HostView): Promise<Proof> {
  const missing = await missingByStrangers();
  if (missing.length > 0) {
    return { checks: [], missing };
  }
  const plan = planOfProbe(confinement, view);
  const run: RunProbe = async (argv, limits, cgroupAlone) =>
    runCold({ ...PLAIN_CALL, argv, limits }, { ...plan, cgroupAlone });
  try {
    const checks = await probe(run, confinement, confinement.uidPool?.count);
    return {
      checks: withoutIds(checks),
      missing: missingAfterProbe(checks.filter(({ held }) => !held)),
    };
  } catch (error) {
    if (
      !(error instanceof SetupError) ||
      error.errno === undefined ||
      !concernsGuarantees(error.stepId, error.errno)
    ) {
      throw error;
    }
    const failure = {
      step: error.step,
      stepId: error.stepId,
      syscall: error.syscall ?? '',
      errno: error.errno,
      detail: error.detail,
    };
    return { checks: [], missing: missingAfterFailure(failure, hostFacts()) };
  }
}
