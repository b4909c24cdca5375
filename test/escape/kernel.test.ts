// Guarantee `kernel`: no system call that no program needs.
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { useAttackedJail, expectDenied, isX64, outcomes, run } from './attack';
import { FLAGS, type SystemCall } from '../support/system-calls';

const { MAP_ANONYMOUS, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } = FLAGS;
const attacked = useAttackedJail();

const REFUSED = [
  'acct',
  'add_key',
  'adjtimex',
  'bpf',
  'chroot',
  'clock_settime',
  'delete_module',
  'finit_module',
  'fsconfig',
  'fspick',
  'init_module',
  'io_uring_enter',
  'io_uring_register',
  'io_uring_setup',
  'kcmp',
  'kexec_file_load',
  'kexec_load',
  'keyctl',
  'lookup_dcookie',
  'migrate_pages',
  'mount',
  'move_pages',
  'perf_event_open',
  'personality',
  'pivot_root',
  'process_vm_readv',
  'ptrace',
  'quotactl',
  'reboot',
  'request_key',
  'sched_setattr',
  'seccomp',
  'setns',
  'sethostname',
  'setdomainname',
  'settimeofday',
  'swapon',
  'syslog',
  'umount2',
  'unshare',
  'userfaultfd',
  'vhangup',
] as const satisfies SystemCall[];

describe('kernel', () => {
  it.each(REFUSED)('denies %s', async (name) => {
    const found = await outcomes(
      attacked.jail,
      `attempt('${name}', call, '${name}', 0, 0, 0, 0, 0, 0)`,
    );
    expect(found).toEqual({ [name]: 'EPERM' });
  });

  it('denies system calls that are newer than the filter', async () => {
    const found = await outcomes(
      attacked.jail,
      `for number in (463, 470, 511, 512, 600, 4096):\n    attempt(str(number), call, number)`,
    );
    expect(new Set(Object.values(found))).toEqual(new Set(['ENOSYS']));
    expect(Object.keys(found)).toHaveLength(6);
  });

  it('denies new namespaces by clone and by clone3', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for flag in (CLONE_NEWTIME, CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
             CLONE_NEWNET):
    attempt(f'clone {flag:x}', call, 'clone', flag | signal.SIGCHLD, 0, 0, 0, 0)
attempt('clone3', call, 'clone3', (ctypes.c_uint64 * 8)(CLONE_NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0), 64)
`,
    );
    const { clone3, ...clones } = found;
    expect(clone3).toBe('ENOSYS');
    expect(Object.keys(clones)).toHaveLength(8);
    expect(new Set(Object.values(clones))).toEqual(new Set(['EPERM']));
  });

  it('denies input faked into a terminal', async () => {
    const found = await outcomes(
      attacked.jail,
      `
import fcntl
for name, request in (('TIOCSTI', TIOCSTI), ('TIOCLINUX', TIOCLINUX), ('high bits', (1 << 32) | TIOCSTI)):
    attempt(name, call, 'ioctl', 0, request, b'x')
`,
    );
    expect(found).toEqual({ TIOCSTI: 'ENOTTY', TIOCLINUX: 'ENOTTY', 'high bits': 'ENOTTY' });
  });

  it('denies memory that no limit counts', async () => {
    const found = await outcomes(
      attacked.jail,
      `
import mmap
attempt('memfd', os.memfd_create, 'x')
attempt('memfd_secret', call, 'memfd_secret', 0)
attempt('shmget', call, 'shmget', IPC_PRIVATE, 4096, IPC_CREAT | 0o600)
attempt('msgget', call, 'msgget', IPC_PRIVATE, IPC_CREAT | 0o600)
attempt('semget', call, 'semget', IPC_PRIVATE, 1, IPC_CREAT | 0o600)
attempt('mq_open', call, 'mq_open', b'x', os.O_CREAT | os.O_RDWR, 0o600, None)
attempt('shared mapping', mmap.mmap, -1, 4096)
attempt('mlock', call, 'mlock', ctypes.addressof(ctypes.create_string_buffer(8192)), 8192)
attempt('vmsplice', call, 'vmsplice', 1, None, 0, 0)
open('tmp/file', 'w').close()
attempt('extended attribute', os.setxattr, 'tmp/file', 'user.x', b'x')
attempt('send buffer', lambda: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20))
`,
    );
    expect(Object.keys(found)).toHaveLength(11);
    expectDenied(found, Object.keys(found));
  });

  (isX64 ? it : it.skip)('denies system calls of 32-bit programs (int 0x80)', async () => {
    const attack = `
import ctypes
libc = ctypes.CDLL(None)
code = b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3'  # mov eax, 20; int 0x80; ret
libc.mmap.restype = ctypes.c_void_p
memory = libc.mmap(None, 4096, ${PROT_READ | PROT_WRITE | PROT_EXEC}, ${MAP_PRIVATE | MAP_ANONYMOUS}, -1, 0)
ctypes.memmove(memory, code, len(code))
print('before', flush=True)
print('answered', ctypes.CFUNCTYPE(ctypes.c_int)(memory)(), flush=True)
`;
    // Without a filter it is a harmless getpid, or, on a kernel without 32-bit programs, no call at all.
    const free = spawnSync('/usr/bin/python3', ['-c', attack], { encoding: 'utf8' });
    const result = await run(attacked.jail, attack);
    if (free.signal === null) {
      expect(free.stdout).toMatch(/answered [1-9]/);
      expect(result.stdout.toString()).toBe(
        `before\nanswered ${String(-constants.errno.ENOSYS)}\n`,
      );
    } else {
      expect([free.signal, result.signal]).toEqual(['SIGSEGV', 'SIGSEGV']);
    }
  });

  (isX64 ? it : it.skip)('denies system calls of the x32 interface', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for name, number in (('getpid', system_calls['getpid']), ('mmap', system_calls['mmap']), ('ioctl', 514), ('none', 0x3fffffff)):
    attempt(name, call, X32_SYSCALL_BIT | number, 0, 0, 0, 0, 0, 0)
`,
    );
    expect(found).toEqual({ getpid: 'ENOSYS', mmap: 'ENOSYS', ioctl: 'ENOSYS', none: 'ENOSYS' });
  });

  it('denies lifting the filter by a filter of its own', async () => {
    const found = await outcomes(
      attacked.jail,
      `
class Filter(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('instructions', ctypes.c_void_p)]
allow_all = (ctypes.c_uint64 * 1)(6 | (0x7fff0000 << 32))
program = Filter(1, ctypes.addressof(allow_all))
libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
attempt('unshare', call, 'unshare', CLONE_NEWUSER)
attempt('exec', os.execv, sys.executable, ['x'])
attempt('socket', socket.socket)
`,
    );
    expect(found).toEqual({ unshare: 'EPERM', exec: 'EACCES', socket: 'EACCES' });
  });

  // By the time that a write takes, one learns of pages that another jail has too.
  it('denies the sharing of pages by their content', async () => {
    const found = await outcomes(
      attacked.jail,
      `
import mmap
PR_SET_MEMORY_MERGE, PR_GET_MEMORY_MERGE, MADV_MERGEABLE = 67, 68, 12
memory = mmap.mmap(-1, 65536, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
attempt('all memory', call, 'prctl', PR_SET_MEMORY_MERGE, 1, 0, 0, 0)
attempt('some memory', call, 'madvise', address, 65536, MADV_MERGEABLE)
attempt('another process', call, 'process_madvise', 0, 0, 0, MADV_MERGEABLE, 0)
`,
    );
    expect(found).toEqual({
      'all memory': 'EINVAL',
      'some memory': 'EINVAL',
      'another process': expect.stringMatching(/^E(NOSYS|ACCES|PERM)$/) as string,
    });
  });

  // Of what is read-only they would reach the host's disk and its cache.
  it('answers what writes out, drops or fills caches without doing it', async () => {
    const found = await outcomes(
      attacked.jail,
      `
NOBODY = 99
for name, numbers in [('fsync', 'fsync'), ('fdatasync', 'fdatasync'), ('sync_file_range', 'sync_file_range'),
                      ('fadvise', 'fadvise64'), ('readahead', 'readahead')]:
    attempt(name, call, numbers, NOBODY, 0, 0, 0)
attempt('msync', call, 'msync', 4096, 4096, MS_SYNC)
attempt('what is mapped', call, 'msync', 4096, 4096, MS_ASYNC)
with open('tmp/file', 'w') as file: file.write('x'); file.flush(); attempt('own', os.fsync, file.fileno())
`,
    );
    expect(found).toEqual({
      fsync: 'reached',
      fdatasync: 'reached',
      sync_file_range: 'reached',
      fadvise: 'reached',
      readahead: 'reached',
      msync: 'reached',
      'what is mapped': 'ENOMEM',
      own: 'reached',
    });
  });
});
