// Guarantee `kernel`: no system call that no program needs.
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { useAttackedJail, expectDenied, isX64, outcomes, run } from './attack';

const attacked = useAttackedJail();

// By number on x86-64 and on arm64.
const REFUSED: Record<string, [number, number]> = {
  acct: [163, 89],
  add_key: [248, 217],
  adjtimex: [159, 171],
  bpf: [321, 280],
  chroot: [161, 51],
  clock_settime: [227, 112],
  delete_module: [176, 106],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fspick: [433, 433],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  kcmp: [312, 272],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  migrate_pages: [256, 238],
  mount: [165, 40],
  move_pages: [279, 239],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  quotactl: [179, 60],
  reboot: [169, 142],
  request_key: [249, 218],
  sched_setattr: [314, 274],
  seccomp: [317, 277],
  setns: [308, 268],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  settimeofday: [164, 170],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  vhangup: [153, 58],
};

describe('kernel', () => {
  it.each(Object.keys(REFUSED))('denies %s', async (name) => {
    const found = await outcomes(
      attacked.jail,
      `attempt('${name}', call, ${JSON.stringify(REFUSED[name])}, 0, 0, 0, 0, 0, 0)`,
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
    const namespaces = [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000];
    const flags = [...namespaces, 0x40000000];
    const found = await outcomes(
      attacked.jail,
      `
for flag in ${JSON.stringify(flags)}:
    attempt(f'clone {flag:x}', call, (56, 220), flag | 17, 0, 0, 0, 0)
attempt('clone3', call, 435, (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17, 0, 0, 0), 64)
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
for name, request in (('TIOCSTI', 0x5412), ('TIOCLINUX', 0x541c), ('high bits', (1 << 32) | 0x5412)):
    attempt(name, call, (16, 29), 0, request, b'x')
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
attempt('memfd_secret', call, 447, 0)
attempt('shmget', call, (29, 194), 0, 4096, 0o1600)
attempt('msgget', call, (68, 186), 0, 0o1600)
attempt('semget', call, (64, 190), 0, 1, 0o1600)
attempt('mq_open', call, (240, 180), b'x', 0o102, 0o600, None)
attempt('shared mapping', mmap.mmap, -1, 4096)
attempt('mlock', call, (149, 228), ctypes.addressof(ctypes.create_string_buffer(8192)), 8192)
attempt('vmsplice', call, (278, 75), 1, None, 0, 0)
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
memory = libc.mmap(None, 4096, 7, 0x22, -1, 0)
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
for name, number in (('getpid', 39), ('mmap', 9), ('ioctl', 514), ('none', 0x3fffffff)):
    attempt(name, call, 0x40000000 | number, 0, 0, 0, 0, 0, 0)
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
libc.prctl(22, 2, ctypes.byref(program), 0, 0)
attempt('unshare', call, (272, 97), 0x10000000)
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
attempt('all memory', call, (157, 167), PR_SET_MEMORY_MERGE, 1, 0, 0, 0)
attempt('some memory', call, (28, 233), address, 65536, MADV_MERGEABLE)
attempt('another process', call, (440, 440), 0, 0, 0, MADV_MERGEABLE, 0)
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
for name, numbers in [('fsync', (74, 82)), ('fdatasync', (75, 83)), ('sync_file_range', (277, 84)),
                      ('fadvise', (221, 223)), ('readahead', (187, 213))]:
    attempt(name, call, numbers, NOBODY, 0, 0, 0)
attempt('msync', call, (26, 227), 4096, 4096, 4)
attempt('what is mapped', call, (26, 227), 4096, 4096, 1)
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
