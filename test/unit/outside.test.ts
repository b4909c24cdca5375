// The list of SECURITY.md, "What takes a path, a process or a user", beside those of the filter.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const source = readFileSync(join(root, 'native', 'core', 'seccomp_table.h'), 'utf8');
const security = readFileSync(join(root, 'SECURITY.md'), 'utf8');

/** The calls that a list of the filter names, by number where the headers may be older. */
function listed(name: string): string[] {
  const list =
    new RegExp(`constexpr int ${name}\\[\\] = \\{(.*?)\\n\\};`, 's').exec(source)?.[1] ?? '';
  return [
    ...[...list.matchAll(/\bSYS_(\w+),/g)].map(([, call]) => call ?? ''),
    ...[...list.matchAll(/\d+ \/\* (\w+) \*\//g)].map(([, call]) => call ?? ''),
  ];
}

const section = /## What takes a path, a process or a user\n(.*?)\n## /s.exec(security)?.[1] ?? '';
const rows = section
  .split('\n- ')
  .slice(1)
  .map((item) => item.replaceAll(/\s+/g, ' ').split(': '))
  .map(([calls = '', answer = '']) => ({
    calls: [...calls.matchAll(/`([a-z0-9_]+)`/g)].map(([, call]) => call ?? ''),
    answer,
  }));
const inList = new Set(rows.flatMap(({ calls }) => calls));

// Of descriptors, of memory, of the caller's own threads, of signals, of time.
const TAKES_NEITHER = `
  accept accept4 alarm arch_prctl brk clone close close_range copy_file_range dup dup2 dup3
  epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 exit exit_group fallocate fchdir fcntl
  fgetxattr flistxattr flock fork fstat fstatfs ftruncate futex get_mempolicy getcpu getcwd getdents
  getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgrp getpid getppid getrandom
  getresgid getresuid getrlimit getrusage getsockname getsockopt gettid gettimeofday getuid ioctl
  listen lseek madvise membarrier mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync
  munlock munlockall munmap nanosleep pause pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
  prctl pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readv recvfrom recvmmsg recvmsg
  restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend
  rt_sigtimedwait sched_get_priority_max sched_get_priority_min sched_yield select sendfile
  set_robust_list set_tid_address setitimer setrlimit setsockopt shutdown sigaltstack signalfd
  signalfd4 splice sysinfo tee time timer_delete timer_getoverrun timer_gettime timer_settime
  timerfd_create timerfd_gettime timerfd_settime times umask uname vfork write writev
`
  .trim()
  .split(/\s+/);

describe('the calls that take a path, a process or a user', () => {
  it('are all in the list, of those that the filter allows', () => {
    const allowed = listed('kAllowed');
    expect(allowed.length).toBeGreaterThan(150);
    expect(allowed.filter((call) => !inList.has(call)).sort()).toEqual([...TAKES_NEITHER].sort());
  });

  it.each(['kAttributesByName', 'kOwners'])('are refused as the list says: %s', (list) => {
    const calls = listed(list);
    const row = rows.find((one) => one.calls.includes(calls[0] ?? ''));
    expect([...(row?.calls ?? [])].sort()).toEqual([...calls].sort());
  });

  it('are refused in every jail where the list says so', () => {
    const refused = new Set([...listed('kRefused'), ...listed('kDenied')]);
    const said = rows.filter(({ answer }) => answer.startsWith('refused in every jail'));
    expect(said).toHaveLength(2);
    for (const call of said.flatMap(({ calls }) => calls)) {
      expect([call, refused.has(call)]).toEqual([call, true]);
    }
  });
});
