// The one table of what a jail guarantees, what serves it on which host, and what cures its lack.
import { constants } from 'node:os';
import { type MissingGuarantee } from '../errors';
import { errnoName } from '../text/errno';
import { GUARANTEE_NAMES, type GuaranteeName } from '../guarantee-names';
import { kernelIsRecent, OLDEST_KERNEL, type HostFacts } from '../host/host';
import { isStep, type StepId } from '../native/steps';
import { appArmorCure, isAppArmorStep } from './apparmor-cure';

interface GuaranteeDefinition {
  /** What the jailed program can't do. */
  readonly cannot: string;
  /** The mechanisms that can serve it, best first, as `confinement` in results names them. */
  readonly mechanisms: readonly string[];
}

/** `landlock` and `apparmor` stand for the mechanisms that begin with the word. */
export const GUARANTEES: Readonly<Record<GuaranteeName, GuaranteeDefinition>> = Object.freeze({
  files: {
    cannot: 'read or write anything but its own directory, its runtime and system libraries',
    mechanisms: ['mount-namespace', 'apparmor', 'landlock'],
  },
  metadata: {
    cannot:
      'learn which files and processes there are outside, or whose, or change the times of a file',
    mechanisms: ['mount-namespace', 'pid-namespace'],
  },
  network: {
    cannot: 'open any socket but a Unix socket of its own',
    mechanisms: ['network-namespace', 'seccomp', 'apparmor'],
  },
  processes: {
    cannot: 'look into, signal or outlive any process outside',
    mechanisms: ['pid-namespace', 'cgroup-kill', 'uid-pool', 'landlock', 'exec-listener'],
  },
  identity: {
    cannot: 'act as your user or gain a privilege',
    mechanisms: ['uid-pool', 'sandbox-user', 'user-namespace', 'no-capabilities', 'no-new-privs'],
  },
  kernel: {
    cannot: 'use system calls that no program needs',
    mechanisms: ['seccomp'],
  },
  memory: {
    cannot: 'use more memory than its limit, all processes together',
    mechanisms: ['cgroup-memory', 'rlimits', 'sampled-sums'],
  },
  cpu: {
    cannot: 'use more CPU than its limit, all processes together',
    mechanisms: ['cgroup-cpu', 'rlimits', 'sampled-sums'],
  },
  time: {
    cannot: 'run longer than its limit',
    mechanisms: ['timer', 'pid-namespace', 'cgroup-kill'],
  },
  tasks: {
    cannot: 'create more processes and threads than its limit',
    mechanisms: ['cgroup-pids', 'rlimits', 'uid-pool', 'user-namespace'],
  },
  disk: {
    cannot: 'write more bytes or files than its limits',
    mechanisms: ['tmpfs', 'rlimits'],
  },
  output: {
    cannot: 'fill your memory with its output',
    mechanisms: ['bounded-readers'],
  },
});

/** Which of a jail's mechanisms serve a guarantee. */
export function servedBy(guarantee: GuaranteeName, inForce: readonly string[]): string[] {
  return inForce.filter((name) =>
    GUARANTEES[guarantee].mechanisms.some(
      (mechanism) =>
        name === mechanism || name.startsWith(`${mechanism}-`) || name.startsWith(`${mechanism}:`),
    ),
  );
}

const NAMESPACE_GUARANTEES: readonly GuaranteeName[] = [
  'files',
  'metadata',
  'network',
  'processes',
  'identity',
  'tasks',
  'disk',
];

/** The guarantees that fall when a step of making the jail fails. */
const GUARANTEES_OF_STEP: Readonly<Partial<Record<StepId, readonly GuaranteeName[]>>> = {
  clone: NAMESPACE_GUARANTEES,
  namespaces: NAMESPACE_GUARANTEES,
  idMap: NAMESPACE_GUARANTEES,
  // The UTS namespace is there; its right may not be, as under podman's seccomp profile.
  hostname: NAMESPACE_GUARANTEES,
  mounts: ['files', 'metadata', 'disk'],
  pivotRoot: ['files', 'metadata', 'disk'],
  resourceLimits: ['memory', 'cpu', 'tasks', 'disk'],
  lease: ['identity', 'tasks'],
  makeCgroup: ['memory', 'tasks'],
  enterCgroup: ['memory', 'tasks'],
  capabilities: ['identity'],
  groups: ['identity'],
  userId: ['identity'],
  noNewPrivileges: ['identity'],
  openAppArmor: ['files'],
  appArmor: ['files'],
  appArmorLabel: ['files'],
  landlock: ['files'],
  seccomp: ['kernel', 'network'],
};

/** What an error tells of a step that failed. */
export interface StepFailure {
  /** The step's name, for people. */
  step: string;
  stepId: string | undefined;
  errno: number;
  syscall: string;
  detail: string;
}

const UNKNOWN_CURE = 'see the step and its error, and run verify() again';

// This process or its host is short of something for now; the next call may find it.
const SHORTAGES = new Set([
  constants.errno.EAGAIN,
  constants.errno.EMFILE,
  constants.errno.ENFILE,
  constants.errno.ENOMEM,
]);

/** Whether the failure of a step tells of the host's confinement, and not of a shortage or a broken package. */
export function concernsGuarantees(stepId: string | undefined, errno: number): boolean {
  return isStep(stepId) && stepId in GUARANTEES_OF_STEP && !SHORTAGES.has(errno);
}

/** What cures something, in words, and as commands where some do. */
type Cure = Pick<MissingGuarantee, 'cure' | 'commands'>;

/** Of a setting of the kernel's that keeps users from making user namespaces. */
function cureOfSetting(setting: string): Cure {
  if (setting.startsWith('kernel.apparmor')) {
    return {
      cure: `give user namespaces to the launcher alone: sudo npx codejail profile install --launcher (or to every program: sudo sysctl -w ${setting}=0)`,
      commands: [['sudo', 'npx', 'codejail', 'profile', 'install', '--launcher']],
    };
  }
  const command = [
    'sudo',
    'sysctl',
    '-w',
    `${setting}=${setting.endsWith('max_user_namespaces') ? 65536 : 1}`,
  ];
  return { cure: command.join(' '), commands: [command] };
}

function cureOf(step: StepId, failure: StepFailure, facts: HostFacts): Cure {
  const { setting } = facts.userNamespaces;
  return kernelIsRecent(facts.kernel) &&
    NAMESPACE_GUARANTEES === GUARANTEES_OF_STEP[step] &&
    facts.kind !== 'root' &&
    setting !== undefined
    ? cureOfSetting(setting)
    : { cure: cureInWords(step, failure, facts) };
}

function cureInWords(step: StepId, { errno, detail }: StepFailure, facts: HostFacts): string {
  if (!kernelIsRecent(facts.kernel)) {
    return `use Linux ${OLDEST_KERNEL.join('.')} or later (this is ${facts.kernel})`;
  }
  if (NAMESPACE_GUARANTEES === GUARANTEES_OF_STEP[step]) {
    if (facts.kind === 'root') {
      return 'give this process CAP_SYS_ADMIN and a seccomp profile that allows new namespaces; in Docker: docker run --security-opt seccomp=unconfined --cap-add SYS_ADMIN';
    }
    return 'let this user make user namespaces (in a container: docker run --security-opt seccomp=unconfined), or run as root';
  }
  if (step === 'mounts' || step === 'pivotRoot') {
    return 'see the step and its error; in a container, /proc must not be masked: docker run --security-opt systempaths=unconfined --security-opt apparmor=unconfined (docs/container.md)';
  }
  if (isAppArmorStep(step)) {
    return facts.appArmor
      ? appArmorCure(step, errno, detail)
      : 'boot with AppArmor (apparmor=1 security=apparmor), or take `profile` out of the command';
  }
  if (step === 'seccomp' && errno === constants.errno.EBUSY) {
    return 'something listens to the system calls of this process already, as LXD and sysbox do, and there can be one listener only: run outside of it, or allow the command to execute programs (allowExec)';
  }
  if (step === 'makeCgroup' || step === 'enterCgroup') {
    return 'give this user the named cgroup and the common ancestor of it and of the server (docs/cgroups.md), or leave `cgroup` out';
  }
  return UNKNOWN_CURE;
}

/** What is missing on this host, when a step of making a jail failed. */
export function missingAfterFailure(failure: StepFailure, facts: HostFacts): MissingGuarantee[] {
  const why =
    `step "${failure.step}" failed` +
    (failure.detail === '' ? '' : ` on ${failure.detail}`) +
    ` (${errnoName(failure.errno)} in ${failure.syscall})` +
    (facts.userNamespaces.allowed ? '' : `; ${facts.userNamespaces.why}`);
  const { stepId } = failure;
  if (!isStep(stepId)) {
    return GUARANTEE_NAMES.map((guarantee) => ({ guarantee, why, cure: UNKNOWN_CURE }));
  }
  const cure = cureOf(stepId, failure, facts);
  return (GUARANTEES_OF_STEP[stepId] ?? GUARANTEE_NAMES).map((guarantee) => ({
    guarantee,
    why,
    ...cure,
  }));
}

const namespacesOr = (guarantee: GuaranteeName): string =>
  `allow this process new namespaces (in Docker: --security-opt seccomp=unconfined --cap-add SYS_ADMIN), or give it up by name: allowMissing: ['${guarantee}']`;

const NAMESPACES_OR_LANDLOCK =
  'allow this process new namespaces, or use a kernel with Landlock (Linux 5.13 and later, lsm=landlock,…)';

const PROBE_CURES: Partial<Record<GuaranteeName, string>> = {
  disk: namespacesOr('disk'),
  metadata: namespacesOr('metadata'),
  files: NAMESPACES_OR_LANDLOCK,
};
/** Of checks that have one of their own, by their ids; native/probe/check.h has the same. */
export const CHECK_CURES = {
  'see-processes': NAMESPACES_OR_LANDLOCK,
  'core-handler':
    'have no program or service handle crashes (sudo sysctl -w kernel.core_pattern=core), or, for a program, start this server with a hard limit of core files other than 0 (docker run --ulimit core=1, LimitCORE=1, ulimit -Hc 1)',
  'hide-from-sums':
    'mount /proc without hidepid (in a systemd unit: ProtectProc=default), give this server a cgroup to divide (docs/cgroups.md), or leave allowExec out',
} as const;

/** What tells such a check from others, whatever its words are. */
export type CheckId = keyof typeof CHECK_CURES;

/** Whether there is a check with this id. */
export function isCheckId(id: string): id is CheckId {
  return Object.hasOwn(CHECK_CURES, id);
}

/** A check that did not hold. */
interface BrokenCheck {
  guarantee: GuaranteeName;
  check: string;
  seen: string;
  id?: CheckId | undefined;
}

function cureOfChecks(guarantee: GuaranteeName, broken: readonly BrokenCheck[]): string {
  const ids = broken.map(({ id }) => id).filter((id) => id !== undefined);
  return ids.length === broken.length
    ? [...new Set(ids)].map((id) => CHECK_CURES[id]).join('; ')
    : (PROBE_CURES[guarantee] ?? DEFAULT_PROBE_CURE);
}

const DEFAULT_PROBE_CURE =
  'this host does not confine as it should: report it with the output of verify()';

/** What is missing, when probes inside the jail got further than they may. */
export function missingAfterProbe(broken: readonly BrokenCheck[]): MissingGuarantee[] {
  return GUARANTEE_NAMES.flatMap((guarantee) => {
    const own = broken.filter((check) => check.guarantee === guarantee);
    return own.length === 0
      ? []
      : [
          {
            guarantee,
            why: `a probe in the jail could ${own.map(({ check, seen }) => (seen === '' ? check : `${check} (${seen})`)).join('; ')}`,
            cure: cureOfChecks(guarantee, own),
          },
        ];
  });
}
