// What the kinds of the seccomp filter have besides: what is counted, locks, hosts that give less, calls that are explained.
import { constants } from 'node:os';
import {
  COUNTED,
  FilterPrinter,
  IN_HIGH_HALF,
  type SeccompFilter,
  SPEC_FLAGS,
  type Answer,
} from '../support/filter';
import { CALLS } from '../support/system-calls';

const { EACCES, EINVAL, EOPNOTSUPP, EPERM } = constants.errno;
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

// What names an address.
const ADDRESSING = {
  bind: CALLS.bind,
  connect: COUNTED.connect,
  sendmmsg: COUNTED.sendmmsg,
  sendmsg: COUNTED.sendmsg,
} as const;

describe('calls that make what no limit counts', () => {
  it('are put to the supervisor, once their arguments are right', () => {
    const counting = printer.filter('count');
    expect(counting.answer(CALLS.socket, [1n, 1n, 0n])).toBe('ask');
    expect(counting.answer(CALLS.socket, [2n, 1n, 0n])).toBe(EACCES);
    expect(counting.answer(CALLS.socketpair, [1n, 1n, 0n])).toBe('ask');
    expect(counting.answer(COUNTED.connect, [])).toBe('ask');
    expect(counting.answer(COUNTED.epoll_create1, [0n])).toBe('ask');
    expect(
      [1n, 2n, 3n].map((operation) => counting.answer(COUNTED.epoll_ctl, [0n, operation])),
    ).toEqual(['ask', 'allow', 'allow']);
  });

  it('or are denied, where they pass descriptors on', () => {
    const counting = printer.filter('count');
    expect(counting.answer(COUNTED.sendmsg, [])).toBe(EACCES);
    expect(counting.answer(COUNTED.sendmmsg, [])).toBe(EACCES);
  });
});

const FCNTL = { F_GETLK: 5n, F_SETLK: 6n, F_SETLKW: 7n };
const OPEN_FILE = { F_OFD_GETLK: 36n, F_OFD_SETLK: 37n, F_OFD_SETLKW: 38n };

describe('locks', () => {
  const key = { locks: 0x12345678_9abcdef0n, memory: 0x0fedcba9n };
  const first = 0x12345678n << 32n;
  const second = 0x9abcdef0n << 32n;
  const memory = key.memory << 32n;
  const ofLauncher = [CALLS.flock, CALLS.pidfd_getfd] as const;

  it('are put to the supervisor', () => {
    for (const each of [
      printer.filter('count'),
      printer.filter('count', SPEC_FLAGS.ownRoot, 1, key),
    ]) {
      expect(each.answer(CALLS.flock, [3n, 2n])).toBe('ask');
      for (const command of Object.values(FCNTL)) {
        expect(each.answer(CALLS.fcntl, [3n, command])).toBe('ask');
        // Also by who knows the launcher's key.
        expect(each.answer(CALLS.fcntl, [first | 3n, second | command])).toBe('ask');
      }
      // F_GETFD
      expect(each.answer(CALLS.fcntl, [3n, 1n])).toBe('allow');
    }
  });

  it('are denied where there is none', () => {
    const refusing = printer.filter('refuse');
    expect(refusing.answer(CALLS.flock, [3n, 2n])).toBe(EACCES);
    for (const command of Object.values(FCNTL)) {
      expect(refusing.answer(CALLS.fcntl, [3n, command])).toBe(EACCES);
    }
  });

  it('of open files by fcntl are unknown', () => {
    for (const each of [
      printer.filter('count'),
      printer.filter('count', SPEC_FLAGS.ownRoot, 1, key),
      printer.filter('refuse'),
    ]) {
      for (const command of Object.values(OPEN_FILE)) {
        expect(each.answer(CALLS.fcntl, [3n, command])).toBe(EINVAL);
      }
    }
  });

  it('are allowed to the launcher by its key', () => {
    const keyed = printer.filter('count', SPEC_FLAGS.ownRoot, 1, key);
    for (const call of ofLauncher) {
      expect(keyed.answer(call, [first | 3n, second | 2n])).toBe('allow');
    }
    expect(keyed.answer(CALLS.fcntl, [first | 3n, second | OPEN_FILE.F_OFD_GETLK])).toBe('allow');
    expect(keyed.answer(CALLS.fcntl, [first | 3n, second | OPEN_FILE.F_OFD_SETLK])).toBe('allow');
    // It never waits.
    expect(keyed.answer(CALLS.fcntl, [first | 3n, second | OPEN_FILE.F_OFD_SETLKW])).toBe(EINVAL);
    expect(keyed.answer(CALLS.process_vm_readv, [memory | 9n])).toBe('allow');
    expect(keyed.answer(CALLS.process_vm_writev, [memory | 9n])).toBe('allow');
  });

  it('are not allowed by half of the key, or by any other', () => {
    const keyed = printer.filter('count', SPEC_FLAGS.ownRoot, 1, key);
    const wrong = [0n, 1n << 32n, first ^ (1n << 63n), second ^ (1n << 32n), memory];
    for (const [left, right] of [
      ...wrong.flatMap((one) => [
        [first, one],
        [one, second],
        [one, one],
      ]),
      [second, first],
    ] as [bigint, bigint][]) {
      expect(keyed.answer(CALLS.flock, [left | 3n, right | 2n])).toBe('ask');
      expect(keyed.answer(CALLS.pidfd_getfd, [left | 3n, right | 2n])).toBe(EPERM);
      expect(keyed.answer(CALLS.fcntl, [left | 3n, right | OPEN_FILE.F_OFD_SETLK])).toBe(EINVAL);
    }
    // The key of memory, which can be guessed, says nothing about that of locks.
    for (const half of [0n, 1n << 32n, first, second, memory ^ (1n << 32n)]) {
      expect(keyed.answer(CALLS.process_vm_readv, [half | 9n])).toBe(EPERM);
      expect(keyed.answer(CALLS.process_vm_writev, [half | 9n])).toBe(EPERM);
    }
  });

  it('have no key that is zero', () => {
    for (const each of [printer.filter('count'), printer.filter('refuse')]) {
      expect(each.answer(CALLS.pidfd_getfd, [3n, 3n])).toBe(EPERM);
      expect(each.answer(CALLS.process_vm_readv, [9n])).toBe(EPERM);
      expect(each.answer(CALLS.process_vm_writev, [9n])).toBe(EPERM);
      expect(each.answer(CALLS.fcntl, [3n, OPEN_FILE.F_OFD_SETLK])).toBe(EINVAL);
    }
  });
});

describe('without namespaces, where the names of sockets are the host’s', () => {
  const STREAM = 1n;
  const DATAGRAM = 2n;
  const PACKETS = 5n;
  const SOMEWHERE = 4096n;
  let without: SeccompFilter;
  beforeAll(() => {
    without = printer.filter('ask', SPEC_FLAGS.noUnixSockets);
  });

  it('there are no sockets but pairs that are connected for good', () => {
    expect(without.answer(CALLS.socket, [1n, STREAM, 0n])).toBe(EACCES);
    for (const flags of [0n, 0x80000n, 0x800n, 0x80800n]) {
      expect(without.answer(CALLS.socketpair, [1n, STREAM | flags, 0n])).toBe('allow');
      expect(without.answer(CALLS.socketpair, [1n, PACKETS | flags, 0n])).toBe('allow');
      expect(without.answer(CALLS.socketpair, [1n, DATAGRAM | flags, 0n])).toBe(EACCES);
    }
    const counting = printer.filter('count', SPEC_FLAGS.noUnixSockets);
    expect(counting.answer(CALLS.socketpair, [1n, DATAGRAM, 0n])).toBe(EACCES);
    expect(counting.answer(CALLS.socketpair, [1n, STREAM, 0n])).toBe('ask');
  });

  it.each(['bind', 'connect', 'sendmsg', 'sendmmsg'] as const)('%s is denied', (name) => {
    expect(without.answer(ADDRESSING[name], [3n, SOMEWHERE, 16n])).toBe(EACCES);
    expect(without.answer(ADDRESSING[name], [3n, 0n, 0n])).toBe(EACCES);
  });

  it('nothing is sent to an address', () => {
    const sent = (address: bigint): Answer =>
      without.answer(CALLS.sendto, [3n, SOMEWHERE, 1n, 0n, address, 16n]);
    expect(sent(0n)).toBe('allow');
    expect([SOMEWHERE, 1n, IN_HIGH_HALF, 0x7fff_0000_0000n].map(sent)).toEqual(
      Array.from({ length: 4 }, () => EACCES),
    );
  });
});

describe('without a root of its own, where the names of files are the host’s', () => {
  it.each([
    ['getxattr', CALLS.getxattr, EOPNOTSUPP],
    ['lgetxattr', CALLS.lgetxattr, EOPNOTSUPP],
    ['listxattr', CALLS.listxattr, EOPNOTSUPP],
    ['llistxattr', CALLS.llistxattr, EOPNOTSUPP],
    ['fchown', CALLS.fchown, EPERM],
    ['fchownat', CALLS.fchownat, EPERM],
    ...(isX64
      ? ([
          ['chown', 92, EPERM],
          ['lchown', 94, EPERM],
        ] as const)
      : []),
  ] as const)('%s is refused', (_name, call, error) => {
    expect(printer.filter('ask', 0).answer(call, [])).toBe(error);
    expect(filter.answer(call, [])).toBe('allow');
  });

  it('attributes of what is open can be read', () => {
    expect(printer.filter('ask', 0).answer(CALLS.fgetxattr, [])).toBe('allow');
  });
});

describe('memory that is more than the limit', () => {
  const ABOVE = 5n * (1n << 30n);
  const NO_KEY = { locks: 0n, memory: 0n };
  const own = [0x22n, 3n] as const; // private and anonymous, to read and write

  it.each([
    [0n, 'allow'],
    [4096n, 'allow'],
    [ABOVE, 'allow'],
    [ABOVE + 1n, 'ask'],
    [ABOVE * 4n, 'ask'],
    [1n << 32n, 'allow'],
    [(1n << 64n) - 1n, 'ask'],
  ] as const)('of %d bytes: %s', (bytes, answer) => {
    const asking = printer.filter('count', SPEC_FLAGS.ownRoot, LAUNCHER, NO_KEY, {
      refusedAbove: ABOVE,
    });
    const [flags, protection] = own;
    expect(asking.answer(CALLS.mmap, [0n, bytes, protection, flags])).toBe(answer);
    expect(asking.answer(CALLS.mremap, [0n, 4096n, bytes, 1n])).toBe(answer);
    // In the place of other memory there may be room.
    expect(asking.answer(CALLS.mmap, [0n, bytes, protection, flags | 0x10n])).toBe('allow');
    // A reservation is not memory yet.
    expect(asking.answer(CALLS.mmap, [0n, bytes, 0n, flags])).toBe('allow');
    expect(asking.answer(CALLS.mmap, [0n, bytes, protection, 0x21n])).toBe(EACCES);
  });

  it('is not asked for where there is no limit, or nobody to ask', () => {
    const [flags, protection] = own;
    for (const kind of ['count', 'refuse', 'allow'] as const) {
      const plain = printer.filter(kind, SPEC_FLAGS.ownRoot, LAUNCHER, NO_KEY, {
        refusedAbove: kind === 'count' ? 0n : ABOVE,
      });
      expect(plain.answer(CALLS.mmap, [0n, ABOVE * 2n, protection, flags])).toBe('allow');
    }
  });
});

describe('an explained call', () => {
  const BEGIN = 0x7f00_1234_5000n;
  const END = 0x7f00_1240_0000n;
  const explaining = (flags = SPEC_FLAGS.ownRoot): SeccompFilter =>
    printer.filter('count', flags, LAUNCHER, { locks: 0n, memory: 0n }, { ownCode: [BEGIN, END] });
  const opening = [-100n, 0n, 0n];

  it.each([
    [0x400000n, 'ask'],
    [BEGIN - 1n, 'ask'],
    [BEGIN, 'allow'],
    [END - 1n, 'allow'],
    [END, 'ask'],
    [BEGIN + (1n << 32n), 'ask'],
  ] as const)('puts what code at %d opens: %s', (code, answer) => {
    expect(explaining().answer(CALLS.openat, opening, undefined, code)).toBe(answer);
  });

  it('lets pass nothing that is refused without', () => {
    const plain = printer.filter('count', SPEC_FLAGS.ownRoot | SPEC_FLAGS.noTruncation, LAUNCHER);
    const told = explaining(SPEC_FLAGS.ownRoot | SPEC_FLAGS.noTruncation);
    for (let call = 0; call < 512; call += 1) {
      for (const flags of [0n, 0x200n, 0x241n, (1n << 32n) - 1n]) {
        const args = [0n, flags, flags, flags, 0n, 0n];
        const before = plain.answer(call, args);
        const now = told.answer(call, args);
        const isSocket = call === CALLS.socket || call === CALLS.socketpair;
        if (now !== before && !(isSocket && now === 'ask')) {
          expect([call, before, now]).toEqual([call, 'allow', 'ask']);
        }
      }
    }
  });

  it('puts sockets that it refuses, for PID 1 to refuse', () => {
    expect(explaining().answer(CALLS.socket, [2n, 1n, 0n])).toBe('ask');
    expect(printer.filter('count').answer(CALLS.socket, [2n, 1n, 0n])).toBe(EACCES);
  });
});
