// What this host offers to make a jail of.
import { readFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { release } from 'node:os';
import { SetupError } from '../errors';
import { native, type NativeFailure } from '../native/addon';

/**
 * The kinds of hosts that a jail can be made on: with the capabilities for uids and namespaces, with
 * none, or with those for uids alone, as root has in a stock container.
 */
export type HostKind = 'root' | 'user' | 'container';

/** Facts about this process and its kernel, gathered without changing anything. */
export interface HostFacts {
  kind: HostKind;
  kernel: string;
  uid: number;
  gid: number;
  /** Whether this process may make user namespaces, as far as the kernel's settings tell, and which of them forbids it. */
  userNamespaces: { allowed: boolean; why: string; setting: string | undefined };
  /** The version of Landlock's interface, 0 where there is none. */
  landlock: number;
  appArmor: boolean;
}

/** Linux 5.14 counts RLIMIT_NPROC for each user namespace; 5.12 brought mount_setattr. */
export const OLDEST_KERNEL = [5, 14] as const;

const CAP_DAC_OVERRIDE = 1n;
const CAP_KILL = 5n;
const CAP_SETGID = 6n;
const CAP_SETUID = 7n;
const CAP_SETPCAP = 8n;
const CAP_SYS_ADMIN = 21n;
// The jail's uid is not this process's own: its files are read and removed, and its launcher is ended, by
// the right to override modes and to signal.
const UID_CAPABILITIES = [CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_DAC_OVERRIDE, CAP_KILL];

const NO_PROC = 'this process sees no /proc of its own: mount -t proc proc /proc';

const LANDLOCK_CURE =
  'the kernel does not say whether it has Landlock; where a seccomp filter refuses the question, as that of an old ' +
  'container runtime does, bring the runtime up to date, or allow landlock_create_ruleset in its profile';

function lookFailed(cause: unknown): SetupError {
  const { code, errno, syscall, path, message } = cause as NodeJS.ErrnoException;
  return new SetupError('look at the host', -(errno ?? 0), {
    syscall,
    detail: code === 'ENOENT' ? NO_PROC : (path ?? message),
    cause,
  });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // A file that can't be opened for another reason, such as EMFILE, tells nothing of the host.
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR') {
      return undefined;
    }
    throw lookFailed(cause);
  }
}

/** The last capability that the running kernel knows, or undefined where it does not say. */
export function lastCapability(): number | undefined {
  const text = readText('/proc/sys/kernel/cap_last_cap');
  return text === undefined ? undefined : Number(text);
}

/** What kind of host this is, by what the launcher will hold once it is exec'd. */
export function hostKind(uid: number = process.geteuid?.() ?? -1): HostKind {
  const status = readText('/proc/self/status');
  if (status === undefined) {
    throw new SetupError('look at the host', 0, { detail: NO_PROC });
  }
  // Root keeps its permitted set over exec, anybody else only the ambient one (capabilities(7)).
  const field = uid === 0 ? 'CapEff' : 'CapAmb';
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  const held = BigInt(`0x${hex}`);
  const holds = (capability: bigint): boolean => ((held >> capability) & 1n) === 1n;
  if (!UID_CAPABILITIES.every(holds)) {
    return 'user';
  }
  return holds(CAP_SYS_ADMIN) ? 'root' : 'container';
}

function userNamespaces(): HostFacts['userNamespaces'] {
  const switches: [path: string, refused: string, name: string][] = [
    ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces'],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone'],
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '1',
      'kernel.apparmor_restrict_unprivileged_userns',
    ],
  ];
  for (const [path, refused, name] of switches) {
    if (readText(path) === refused) {
      return { allowed: false, why: `${name} is ${refused}`, setting: name };
    }
  }
  return { allowed: true, why: '', setting: undefined };
}

// Not taken for a kernel without it: a jail would lack a lock that the host has.
function landlockVersion(): number {
  const { addon } = native();
  try {
    return addon.landlockAbi();
  } catch (cause) {
    const { errno = 0, syscall } = cause as Partial<NativeFailure>;
    throw new SetupError('look at the host', errno, { syscall, detail: LANDLOCK_CURE, cause });
  }
}

/** Gathers the facts anew: a setting may have changed meanwhile. */
export function hostFacts(): HostFacts {
  const uid = process.geteuid?.() ?? -1;
  return {
    kind: hostKind(uid),
    kernel: release(),
    uid,
    gid: process.getegid?.() ?? -1,
    userNamespaces: userNamespaces(),
    landlock: landlockVersion(),
    appArmor: readText('/sys/module/apparmor/parameters/enabled') === 'Y',
  };
}

/** Whether the kernel is one that this package needs. */
export function kernelIsRecent(kernelRelease: string): boolean {
  const [major = 0, minor = 0] = kernelRelease.split('.').map((part) => Number.parseInt(part, 10));
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** This process's own namespaces, as links of /proc show them: `net:[4026531840]`. */
export async function ownNamespaces(): Promise<{ net: string; pid: string; user: string }> {
  try {
    const [net, pid, user] = await Promise.all(
      ['net', 'pid', 'user'].map(async (name) => readlink(`/proc/self/ns/${name}`)),
    );
    return { net: net ?? '', pid: pid ?? '', user: user ?? '' };
  } catch (cause) {
    throw lookFailed(cause);
  }
}
