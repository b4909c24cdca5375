// The seccomp filter, run as the kernel would run it, beside the table that it is made from.
import { constants } from 'node:os';
import {
  COUNTED,
  FilterPrinter,
  IN_HIGH_HALF,
  SeccompFilter,
  SPEC_FLAGS,
  valuesToTry,
  type Answer,
  type Argument,
} from '../support/filter';
import { CALLS } from '../support/system-calls';

const { EACCES, EINVAL, ENOSYS, ENOTTY, EPERM } = constants.errno;
const isX64 = process.arch === 'x64';

const LAUNCHER = 7;
let printer: FilterPrinter;
let filter: SeccompFilter;
beforeAll(() => {
  printer = new FilterPrinter();
  filter = printer.filter('ask', SPEC_FLAGS.ownRoot, LAUNCHER);
}, 120_000);
afterAll(() => {
  printer.end();
});

/** Arguments that the table permits, one of them as given. */
function argumentsWith(given: SeccompFilter, argument: Argument, value: bigint): bigint[] {
  const args = [0n, 0n, 0n, 0n, 0n, 0n];
  for (const { call, index, isBits, values } of given.arguments) {
    if (call === argument.call) {
      args[index] = BigInt(isBits ? 0 : (values[0] ?? 0));
    }
  }
  args[argument.index] = value;
  return args;
}

const RLIMIT_CORE = 4;
const SET_CHILD_SUBREAPER = 36;
const PARENT = 0x8000;
const THREAD = 0x10000;
const OF_THREADS = 0x200 | 0x400 | 0x800 | 0x40000;

// What seccomp_rules.cc denies beyond the table.
function expected(argument: Argument, value: bigint): Answer {
  if (!SeccompFilter.permits(argument, value)) {
    return argument.error;
  }
  const low = Number(value);
  // Of sessions alone, whose filter is a cell's.
  if (argument.call === CALLS.prctl && low === SET_CHILD_SUBREAPER) {
    return EINVAL;
  }
  if (argument.call === CALLS.clone && (low & PARENT) !== 0) {
    return EPERM;
  }
  if (argument.call === CALLS.clone && (low & THREAD) === 0) {
    const isShared = (low & OF_THREADS) !== 0;
    const isUnwaited = (low & 0x100) !== 0 && (low & 0x4000) === 0;
    return isShared || isUnwaited ? EPERM : 'allow';
  }
  if (argument.call === CALLS.mmap && argument.index === 3 && (low & 0x21) === 0x21) {
    return EACCES;
  }
  if (argument.call === CALLS.setrlimit && low === RLIMIT_CORE) {
    return 0;
  }
  return 'allow';
}

function random(argument: Argument): bigint[] {
  // The same in each run; with bits of the table more often than not.
  let seed = argument.call * 31 + argument.index;
  const next = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0);
  const bits = argument.values.reduce((all, bit) => all | bit, argument.beside);
  return Array.from({ length: 2000 }, (_, turn) => {
    const value = (next() ^ (next() >>> 16)) >>> 0;
    return BigInt((turn % 2 === 0 ? value : value & bits) >>> 0);
  });
}

describe('the arguments of the table', () => {
  it('are those that the filter allows, and no others', () => {
    let asked = 0;
    for (const argument of filter.arguments) {
      for (const value of [...valuesToTry(argument), ...random(argument)]) {
        const found = filter.answer(argument.call, argumentsWith(filter, argument, value));
        asked += 1;
        if (found !== expected(argument, value)) {
          expect([argument, value, found]).toEqual([argument, value, expected(argument, value)]);
        }
      }
    }
    expect(asked).toBeGreaterThan(100_000);
  });

  it('are looked at as far as the kernel reads them', () => {
    for (const argument of filter.arguments) {
      const value = BigInt(argument.isBits ? 0 : (argument.values[0] ?? 0)) | IN_HIGH_HALF;
      const found = filter.answer(argument.call, argumentsWith(filter, argument, value));
      expect([argument, found]).toEqual([
        argument,
        argument.readsAll ? argument.error : expected(argument, value - IN_HIGH_HALF),
      ]);
    }
  });

  it('are each named once', () => {
    for (const { call, index, values } of filter.arguments) {
      expect([call, index, new Set(values).size]).toEqual([call, index, values.length]);
      expect(filter.arguments.filter((o) => o.call === call && o.index === index)).toHaveLength(1);
    }
  });
});

describe('what must never be allowed', () => {
  const option = (
    call: number,
    index: number,
    value: number,
    more: readonly bigint[] = [],
  ): Answer => {
    const args = [...more];
    while (args.length <= index) {
      args.push(0n);
    }
    args[index] = BigInt(value);
    return filter.answer(call, args);
  };

  it.each([
    ['PR_SET_DUMPABLE', 4],
    ['PR_SET_SECCOMP', 22],
    ['PR_CAPBSET_DROP', 24],
    ['PR_SET_TSC', 26],
    ['PR_SET_SECUREBITS', 28],
    ['PR_MCE_KILL', 33],
    ['PR_SET_MM', 35],
    ['PR_SET_CHILD_SUBREAPER', 36],
    ['PR_SET_SPECULATION_CTRL', 53],
    ['PR_SET_IO_FLUSHER', 57],
    ['PR_SET_SYSCALL_USER_DISPATCH', 59],
    ['PR_SCHED_CORE', 62],
    ['PR_SET_MEMORY_MERGE', 67],
    ['PR_TIMER_CREATE_RESTORE_IDS', 77],
    ['PR_FUTEX_HASH', 78],
    ['PR_SET_VMA', 0x53564d41],
    ['PR_SET_PTRACER', 0x59616d61],
  ])('prctl %s', (_name, value) => {
    expect(option(CALLS.prctl, 0, value)).toBe(EINVAL);
  });

  it.each([
    ['TIOCSTI', 0x5412],
    ['TIOCLINUX', 0x541c],
    ['TIOCSCTTY', 0x540e],
    ['TIOCSETD', 0x5423],
    ['SIOCGIFNAME', 0x8910],
    ['SIOCGIFINDEX', 0x8933],
    ['SIOCETHTOOL', 0x8946],
    ['FS_IOC_SETFLAGS', 0x40086602],
    ['FICLONE', 0x40049409],
    ['FIDEDUPERANGE', 0xc0189436],
    ['FITRIM', 0xc0185879],
    ['FIFREEZE', 0xc0045877],
    ['FIOASYNC', 0x5452],
    ['NS_GET_USERNS', 0xb701],
    ['PAGEMAP_SCAN', 0xc0606610],
    ['PROCMAP_QUERY', 0xc0686611],
    ['PIDFD_GET_INFO', 0xc048ff0b],
    ['UFFDIO_API', 0xc018aa3f],
    ['KVM_CREATE_VM', 0xae01],
  ])('ioctl %s', (_name, value) => {
    expect(option(CALLS.ioctl, 1, value)).toBe(ENOTTY);
  });

  it.each([
    ['open, O_ASYNC', isX64 ? CALLS.open : CALLS.openat, isX64 ? 1 : 2, 0x2000],
    ['openat, O_ASYNC', CALLS.openat, 2, 0x2000],
    ['openat, a flag to come', CALLS.openat, 2, 0x10000000],
    ['statx, AT_STATX_FORCE_SYNC', CALLS.statx, 2, 0x2000],
    ['splice, SPLICE_F_GIFT', CALLS.splice, 5, 8],
    ['tee, SPLICE_F_GIFT', CALLS.tee, 3, 8],
  ])('%s', (_name, call, index, value) => {
    expect(option(call, index, value)).toBe(EINVAL);
  });

  it('ioctl of any kind that networks have', () => {
    for (let request = 0x8900; request < 0x8a00; request += 1) {
      expect([request, option(CALLS.ioctl, 1, request)]).toEqual([request, ENOTTY]);
    }
  });

  it.each([
    ['SO_SNDBUF', 7],
    ['SO_RCVBUF', 8],
    ['SO_BINDTODEVICE', 25],
    ['SO_ATTACH_FILTER', 26],
    ['SO_SNDBUFFORCE', 32],
    ['SO_RCVBUFFORCE', 33],
    ['SO_PASSSEC', 34],
    ['SO_MARK', 36],
    ['SO_LOCK_FILTER', 44],
    ['SO_BUSY_POLL', 46],
    ['SO_ATTACH_BPF', 50],
    ['SO_ATTACH_REUSEPORT_CBPF', 51],
    ['SO_ATTACH_REUSEPORT_EBPF', 52],
    ['SO_ZEROCOPY', 60],
    ['SO_TXTIME', 61],
  ])('setsockopt %s', (_name, value) => {
    expect(option(CALLS.setsockopt, 2, value, [0n, 1n])).toBe(EACCES);
  });

  it('setsockopt and getsockopt of any other level', () => {
    for (let level = 0; level < 300; level += level === 0 ? 2 : 1) {
      expect([level, option(CALLS.setsockopt, 1, level, [0n, 0n, 2n])]).toEqual([level, EACCES]);
      expect([level, option(CALLS.getsockopt, 1, level, [0n, 0n, 4n])]).toEqual([level, EACCES]);
    }
  });

  it('a filter read back (SO_GET_FILTER)', () => {
    expect(option(CALLS.getsockopt, 2, 26, [0n, 1n])).toBe(EACCES);
  });

  it.each([
    ['F_SETOWN', 8],
    ['F_SETSIG', 10],
    ['F_SETOWN_EX', 15],
    ['F_SETLEASE', 1024],
    ['F_NOTIFY', 1026],
    ['F_SETPIPE_SZ', 1031],
    ['F_ADD_SEALS', 1033],
  ])('fcntl %s', (_name, value) => {
    expect(option(CALLS.fcntl, 1, value)).toBe(EACCES);
  });

  it('signals of descriptors (O_ASYNC)', () => {
    expect(option(CALLS.fcntl, 2, 0x2000, [0n, 4n])).toBe(EACCES);
    expect(option(CALLS.fcntl, 2, 0x800, [0n, 4n])).toBe('allow');
    // It means nothing to the others.
    expect(option(CALLS.fcntl, 2, 0x2000, [0n, 0n])).toBe('allow');
  });

  it('sockets but Unix ones of the three types, without a protocol', () => {
    for (const call of [CALLS.socket, CALLS.socketpair]) {
      for (let family = 0; family < 64; family += 1) {
        const found = filter.answer(call, [BigInt(family), 1n, 0n]);
        expect([family, found]).toEqual([family, family === 1 ? 'allow' : EACCES]);
      }
      for (let type = 0; type < 16; type += 1) {
        const found = filter.answer(call, [1n, BigInt(type) | 0x80800n, 0n]);
        expect([type, found]).toEqual([type, [1, 2, 5].includes(type) ? 'allow' : EACCES]);
      }
      expect(filter.answer(call, [1n, 1n, 1n])).toBe(EACCES);
    }
  });

  it('bytes out of band, and without a copy', () => {
    for (const flags of [0x1n, 0x4000001n, 0x4000000n, 0x40n]) {
      expect(filter.answer(CALLS.sendto, [0n, 0n, 0n, flags])).toBe(
        flags === 0x40n ? 'allow' : EACCES,
      );
    }
    expect(filter.answer(CALLS.recvfrom, [0n, 0n, 0n, 1n])).toBe(EACCES);
    expect(filter.answer(CALLS.recvfrom, [0n, 0n, 0n, 0x2000n])).toBe(EACCES);
  });

  it.each([
    ['MADV_REMOVE', 9],
    ['MADV_MERGEABLE', 12],
    ['MADV_COLD', 20],
    ['MADV_PAGEOUT', 21],
    ['MADV_POPULATE_READ', 22],
    ['MADV_COLLAPSE', 25],
    ['MADV_HWPOISON', 100],
    ['MADV_SOFT_OFFLINE', 101],
    ['MADV_GUARD_INSTALL', 102],
  ])('madvise %s', (_name, value) => {
    expect(option(CALLS.madvise, 2, value)).toBe(EINVAL);
  });

  it.each([
    ['shared anonymous memory', 0x21n],
    ['what grows down', 0x122n],
    ['huge pages', 0x40022n],
    ['huge pages of 1 GiB', 0x78040022n],
    ['what may be dropped', 0x28n],
    ['locked', 0x2022n],
  ])('mmap: %s', (_name, flags) => {
    expect(filter.answer(CALLS.mmap, [0n, 0n, 3n, flags])).toBe(EACCES);
  });

  it('clone: new namespaces, siblings, and what is half a thread', () => {
    const flags = {
      CLONE_NEWTIME: 0x80,
      CLONE_PTRACE: 0x2000,
      CLONE_PARENT: 0x8000,
      CLONE_NEWNS: 0x20000,
      CLONE_UNTRACED: 0x800000,
      CLONE_NEWCGROUP: 0x2000000,
      CLONE_NEWUTS: 0x4000000,
      CLONE_NEWIPC: 0x8000000,
      CLONE_NEWUSER: 0x10000000,
      CLONE_NEWPID: 0x20000000,
      CLONE_NEWNET: 0x40000000,
      CLONE_IO: 0x80000000,
      CLONE_FILES: 0x400,
      CLONE_VM: 0x100,
    };
    for (const [name, flag] of Object.entries(flags)) {
      expect([name, filter.answer(CALLS.clone, [BigInt(flag | 17) & 0xffffffffn])]).toEqual([
        name,
        EPERM,
      ]);
    }
    for (const bit of [32n, 33n, 34n, 35n, 36n, 40n, 63n]) {
      expect(filter.answer(CALLS.clone, [(1n << bit) | 17n])).toBe(EPERM);
    }
  });

  it('clone: a thread, a fork and a vfork are allowed', () => {
    for (const flags of [0x3d0f00n, 0x7d0f00n, 0x50f00n, 0x1200011n, 0x4111n, 17n, 0x5111n]) {
      expect([flags, filter.answer(CALLS.clone, [flags])]).toEqual([flags, 'allow']);
    }
  });

  it('futex operations of old holes, and new ones', () => {
    for (const operation of [2, 11, 12, 14, 64, 0x200]) {
      for (const flags of [0, 128, 256, 384]) {
        expect(option(CALLS.futex, 1, operation | flags)).toBe(ENOSYS);
      }
    }
  });

  it('real-time classes, and those that the host makes', () => {
    for (const [policy, answer] of [
      [0, 'allow'],
      [1, EPERM],
      [2, EPERM],
      [3, 'allow'],
      [5, 'allow'],
      [6, EPERM],
      [7, EPERM],
    ] as const) {
      expect([policy, option(CALLS.sched_setscheduler, 1, policy)]).toEqual([policy, answer]);
    }
    expect(option(CALLS.sched_setscheduler, 1, 0, [BigInt(LAUNCHER)])).toBe(EPERM);
    expect(filter.answer(CALLS.sched_setattr, [0n, 0n, 0n])).toBe(EPERM);
  });

  it('filters and Landlock domains of its own', () => {
    for (let operation = 0n; operation < 8n; operation += 1n) {
      expect(filter.answer(CALLS.seccomp, [operation])).toBe(EPERM);
    }
    const kinds = [
      printer.filter('allow'),
      printer.filter('ask'),
      printer.filter('deny'),
      printer.filter('ask', SPEC_FLAGS.reaperByUid),
    ];
    for (const each of kinds) {
      expect(each.answer(CALLS.landlock_create_ruleset, [0n, 0n, 1n])).toBe(ENOSYS);
      expect(each.answer(CALLS.landlock_add_rule, [])).toBe(ENOSYS);
    }
    // Of those that enter a domain under the filter, which the launcher or the cell has made.
    expect(kinds.map((each) => each.answer(CALLS.landlock_restrict_self, []))).toEqual([
      ENOSYS,
      ENOSYS,
      'allow',
      'allow',
    ]);
  });
});

describe('calls', () => {
  it('are allowed, answered, refused or denied by the lists, and else unknown', () => {
    const { allowed, answered, refused, denied } = filter.calls;
    const conditional = new Set(filter.arguments.map(({ call }) => call));
    const asked = new Set([CALLS.execve, CALLS.execveat]);
    const counted = [
      ...Object.values(COUNTED),
      CALLS.flock,
      CALLS.pidfd_getfd,
      CALLS.process_vm_readv,
      CALLS.process_vm_writev,
    ];
    const byLauncher = new Set([
      CALLS.setpriority,
      CALLS.ioprio_set,
      CALLS.sched_setaffinity,
      CALLS.sched_setparam,
    ]);
    for (let call = 0; call < 1200; call += 1) {
      if (!conditional.has(call) && !byLauncher.has(call)) {
        const answer = asked.has(call)
          ? 'ask'
          : allowed.includes(call) || counted.includes(call)
            ? 'allow'
            : answered.includes(call)
              ? 0
              : refused.includes(call)
                ? EPERM
                : denied.includes(call)
                  ? EACCES
                  : ENOSYS;
        expect([call, filter.answer(call, [0n, 0n])]).toEqual([call, answer]);
      }
    }
    const lists = [...allowed, ...answered, ...refused, ...denied];
    expect(new Set(lists).size).toBe(lists.length);
  });

  it('are answered without a look at arguments where those do not matter', () => {
    expect(filter.looksAtArguments(CALLS.read)).toBe(false);
    expect(filter.looksAtArguments(CALLS.write)).toBe(false);
    expect(filter.looksAtArguments(CALLS.mmap)).toBe(true);
  });

  it('of other architectures are unknown, and nobody is ended for them', () => {
    const i386 = 0x40000003;
    for (const architecture of [i386, 0xc000003e, 0xc00000b7, 0x40000028, 0]) {
      if (architecture !== (isX64 ? 0xc000003e : 0xc00000b7)) {
        for (const call of [0, 1, 20, 39, 220, 511, 0x40000027]) {
          expect(filter.answer(call, [], architecture)).toBe(ENOSYS);
        }
      }
    }
  });

  (isX64 ? it : it.skip)('of x32 are unknown', () => {
    for (const call of [0, 1, 9, 39, 512, 547, 0x3fffffff]) {
      expect(filter.answer((0x40000000 | call) >>> 0, [])).toBe(ENOSYS);
    }
    expect(filter.answer(0xffffffff, [])).toBe(ENOSYS);
  });
});

describe('the limit of core files', () => {
  const SOMEWHERE = [4096n, IN_HIGH_HALF, 0x7fff_0000_0000n];

  it('can be read, of every process but the launcher', () => {
    expect(filter.answer(CALLS.prlimit64, [0n, BigInt(RLIMIT_CORE), 0n, 4096n])).toBe('allow');
    expect(filter.answer(CALLS.prlimit64, [BigInt(LAUNCHER), BigInt(RLIMIT_CORE), 0n])).toBe(EPERM);
  });

  it('stays as it is, whatever is asked for', () => {
    expect(filter.answer(CALLS.setrlimit, [BigInt(RLIMIT_CORE), 4096n])).toBe(0);
    for (const limit of SOMEWHERE) {
      expect(filter.answer(CALLS.prlimit64, [0n, BigInt(RLIMIT_CORE), limit])).toBe(0);
      expect(filter.answer(CALLS.prlimit64, [0n, 7n, limit])).toBe('allow');
    }
  });
});
