// Which system calls are made to fail, and how: what the kernel may answer, by call.
import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import type { Count, Fault } from './tracer';

const { errno } = constants;
type ErrnoName = keyof typeof errno;

/** Those that can't fail, or that say nothing of the jail when they do: the C library's own start. */
const NEVER = new Set(
  (
    'exit exit_group rt_sigreturn restart_syscall getpid gettid getppid getpgid getsid getuid geteuid getgid getegid umask ' +
    'arch_prctl set_tid_address set_robust_list clock_gettime sched_yield futex getcpu alarm rseq ' +
    'rt_sigprocmask ' +
    // They tell no error (setfsuid(2), "BUGS"): what they have done is asked.
    'setfsuid setfsgid'
  ).split(' '),
);

const MAKES_DESCRIPTOR: ErrnoName[] = ['EMFILE', 'ENFILE', 'ENOMEM'];
const OPENS: ErrnoName[] = ['EMFILE', 'ENFILE', 'EACCES', 'ENOMEM', 'EIO'];
const MEMORY: ErrnoName[] = ['ENOMEM'];
const MOUNTS: ErrnoName[] = ['EPERM', 'ENOMEM', 'EINVAL'];
const MAKES_NAME: ErrnoName[] = ['ENOSPC', 'EACCES', 'EIO'];
const MAKES_PROCESS: ErrnoName[] = ['EAGAIN', 'ENOMEM', 'EPERM'];
const IS_PRIVILEGED: ErrnoName[] = ['EPERM', 'EINVAL'];

const ERRNOS: Record<string, ErrnoName[]> = {
  read: ['EIO', 'EINTR'],
  pread64: ['EIO', 'EINTR'],
  write: ['EIO', 'ENOSPC', 'EINTR'],
  pwrite64: ['EIO', 'ENOSPC', 'EINTR'],
  close: ['EINTR', 'EIO'],
  open: OPENS,
  openat: OPENS,
  openat2: OPENS,
  brk: MEMORY,
  mmap: MEMORY,
  mprotect: MEMORY,
  mremap: MEMORY,
  munmap: MEMORY,
  madvise: ['ENOMEM', 'EINVAL'],
  ioctl: ['EINVAL', 'EINTR'],
  poll: ['EINTR', 'ENOMEM'],
  ppoll: ['EINTR', 'ENOMEM'],
  wait4: ['EINTR'],
  waitid: ['EINTR'],
  clone: MAKES_PROCESS,
  clone3: [...MAKES_PROCESS, 'ENOSYS'],
  fork: MAKES_PROCESS,
  vfork: MAKES_PROCESS,
  execveat: ['ENOMEM', 'EACCES', 'EAGAIN', 'EIO'],
  pipe2: MAKES_DESCRIPTOR,
  socketpair: MAKES_DESCRIPTOR,
  eventfd2: MAKES_DESCRIPTOR,
  signalfd4: MAKES_DESCRIPTOR,
  timerfd_create: MAKES_DESCRIPTOR,
  memfd_create: MAKES_DESCRIPTOR,
  pidfd_open: MAKES_DESCRIPTOR,
  dup3: ['EMFILE', 'EBUSY'],
  fcntl: ['EMFILE', 'EINVAL'],
  mount: MOUNTS,
  umount2: MOUNTS,
  pivot_root: MOUNTS,
  open_tree: ['EMFILE', 'EPERM', 'ENOMEM'],
  move_mount: MOUNTS,
  mount_setattr: MOUNTS,
  fsopen: ['EMFILE', 'EPERM', 'ENOMEM'],
  fsconfig: MOUNTS,
  fsmount: ['EMFILE', 'EPERM', 'ENOMEM'],
  setns: MOUNTS,
  unshare: MOUNTS,
  mkdir: MAKES_NAME,
  mkdirat: MAKES_NAME,
  rmdir: ['EBUSY', 'EACCES'],
  unlink: ['EACCES', 'EIO'],
  unlinkat: ['EACCES', 'EIO'],
  symlink: MAKES_NAME,
  symlinkat: MAKES_NAME,
  mknodat: MAKES_NAME,
  chmod: ['EPERM', 'EIO'],
  fchmod: ['EPERM', 'EIO'],
  fchmodat: ['EPERM', 'EIO'],
  chown: ['EPERM', 'EIO'],
  fchown: ['EPERM', 'EIO'],
  fchownat: ['EPERM', 'EIO'],
  chdir: ['EACCES', 'ENOMEM'],
  fchdir: ['EACCES', 'ENOMEM'],
  fallocate: ['ENOSPC', 'EIO'],
  ftruncate: ['ENOSPC', 'EIO'],
  sendmsg: ['ENOBUFS', 'ENOMEM', 'EINTR'],
  sendto: ['ENOBUFS', 'ENOMEM', 'EINTR'],
  recvmsg: ['ENOMEM', 'EINTR'],
  recvfrom: ['ENOMEM', 'EINTR'],
  kill: ['EPERM'],
  getdents64: ['EIO', 'ENOMEM'],
  fstat: ['EIO'],
  newfstatat: ['EIO', 'ENOMEM'],
  statfs: ['EIO'],
  fstatfs: ['EIO'],
  flock: ['ENOLCK', 'EINTR'],
  eventfd: MAKES_DESCRIPTOR,
  epoll_create1: MAKES_DESCRIPTOR,
  epoll_ctl: ['ENOSPC', 'ENOMEM'],
  epoll_wait: ['EINTR'],
  fdopendir: ['ENOMEM', 'EIO'],
  readdir: ['EIO'],
  socket: MAKES_DESCRIPTOR,
  send: ['ENOBUFS', 'ENOMEM', 'EINTR'],
  sched_setaffinity: ['EINVAL', 'EPERM'],
  renameat: ['EACCES', 'EIO'],
  seccomp: ['ENOMEM', 'EINVAL', 'EPERM'],
  landlock_create_ruleset: ['EMFILE', 'ENOMEM', 'EOPNOTSUPP'],
  landlock_add_rule: ['ENOMEM', 'EPERM'],
  landlock_restrict_self: ['ENOMEM', 'EPERM', 'E2BIG'],
  prctl: IS_PRIVILEGED,
  setrlimit: IS_PRIVILEGED,
  prlimit64: IS_PRIVILEGED,
  capset: IS_PRIVILEGED,
  capget: IS_PRIVILEGED,
  setsid: ['EPERM'],
  setgroups: ['EPERM', 'ENOMEM'],
  setresuid: ['EPERM', 'EAGAIN'],
  setresgid: ['EPERM'],
  sethostname: ['EPERM'],
  setpriority: ['EACCES', 'EPERM'],
  close_range: ['ENOMEM', 'EINVAL'],
};
const OTHERWISE: ErrnoName[] = ['EINVAL', 'ENOMEM'];

/** Done whatever the answer is: to leave them out would be a leak that no kernel makes. */
const MADE_ANYWAY = new Set(['close']);

/** All that the host may lack while files are collected. What it says of the file itself is no failure. */
const COLLECTING: Record<string, ErrnoName[]> = {
  'worker openat2': ['EMFILE', 'ENFILE', 'ENOMEM', 'EIO'],
  'worker read': ['EIO', 'ENOMEM', 'EINTR'],
};

/** By role and call: how many of the last are not this package's own. */
const OTHERS: Record<string, number | 'all'> = {
  // libuv wakes the event loop by its eventfd, and aborts where it can't (uv_async_send).
  'spawn-thread write': 1,
  // The program asks for its limits (witness.py).
  'cell-limits prlimit64': 13,
  // A static program's own start, before main.
  'outer-launcher mprotect': 'all',
  'launcher mprotect': 'all',
  'template-launcher mprotect': 'all',
};

/** One fault of the matrix, with its names. */
export interface Case extends Fault {
  name: string;
  of: number;
  errnoName: string;
}

/** The names of system calls, by their numbers here, as the compiler's headers have them. */
export function callNames(): Map<number, string> {
  const macros = execFileSync(
    'g++',
    ['-E', '-dM', '-x', 'c++', '-include', 'sys/syscall.h', '/dev/null'],
    {
      encoding: 'utf8',
    },
  );
  return new Map(
    [...macros.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name = '', number]) => [
      Number(number),
      name,
    ]),
  );
}

function isOthers(role: string, name: string): boolean {
  return (
    NEVER.has(name) ||
    OTHERS[`${role} ${name}`] === 'all' ||
    // A cell whose call has begun sets its limits, and then is the program.
    (role === 'cell-limits' && name !== 'prlimit64')
  );
}

/** What the kernel may answer: all of it, or two. */
function errnosOf(role: string, name: string, isThorough: boolean): ErrnoName[] {
  const fitting = COLLECTING[`${role} ${name}`] ?? ERRNOS[name] ?? OTHERWISE;
  return isThorough || fitting === COLLECTING[`${role} ${name}`] ? fitting : fitting.slice(0, 2);
}

/** The occurrences that are made to fail: all of a few, else the first, those around the middle, and the last. */
function occurrences(most: number, isThorough: boolean): number[] {
  const all = Array.from({ length: most }, (_, index) => index + 1);
  return isThorough || most <= 3 ? all : [1, Math.ceil(most / 2), most];
}

/**
 * What is made to fail of what was seen.
 * @param names of the calls, by their numbers
 * @param roles those that this run is about
 * @param isThorough every occurrence with every errno that fits, instead of first, middle and last with two each
 */
export function plan(
  counts: readonly Count[],
  names: ReadonlyMap<number, string>,
  roles: readonly string[],
  isThorough: boolean,
): Case[] {
  const cases: Case[] = [];
  for (const { role, call, most } of counts) {
    const name = names.get(call) ?? String(call);
    if (!roles.includes(role) || isOthers(role, name)) {
      continue;
    }
    const ours = most - Number(OTHERS[`${role} ${name}`] ?? 0);
    for (const occurrence of occurrences(ours, isThorough)) {
      for (const errnoName of errnosOf(role, name, isThorough)) {
        cases.push({
          ...{ role, call, name, occurrence, of: most, errnoName },
          errno: errno[errnoName],
          isMade: MADE_ANYWAY.has(name),
        });
      }
    }
  }
  return cases;
}
