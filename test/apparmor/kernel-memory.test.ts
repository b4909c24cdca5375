// Takes as much of the kernel's memory as one jail can, of all kinds together that no process maps, with the default
// limits and without a cgroup. What each kind's bound is: SECURITY.md and test/escape/kernel-memory.test.ts.
import { readFileSync } from 'node:fs';
import { createJail, type Jail } from '../../lib/index';
import { isTestMachine } from '../support/machine';

const MEBIBYTE = 1024 * 1024;
const MEMORY = 64 * MEBIBYTE;
const BEYOND = 128 * MEBIBYTE;

function available(): number {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'));
  return Number(found?.[1]) * 1024;
}

const PROCESSES = 14;

// First each process takes what may be held of each kind, and says how much it got. Then all of them make pipes for
// the rest of their descriptors, which count as memory, until the jail is ended.
const ATTACK = `
import ctypes, fcntl, os, select, socket, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

def until_full(write):
    try:
        while write(): pass
    except BlockingIOError: pass
def sockets():
    one, other = socket.socketpair()
    one.setblocking(False)
    until_full(lambda: one.send(bytes(32768)))
    one.close()
    return other
def pipes():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    until_full(lambda: os.write(writer, bytes(65536)))
    os.close(writer)
    return reader
def fifos():
    path = f'tmp/{os.getpid()}.{len(held)}'
    os.mkfifo(path)
    fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    until_full(lambda: os.write(fifo, bytes(65536)))
    return fifo
def files():
    file = os.open(f'/proc/self/fdinfo/{epoll.fileno()}', os.O_RDONLY)
    os.read(file, 1)
    return file
def locks():
    fcntl.lockf(locked, fcntl.LOCK_EX, 1, 1000 * os.getpid() + 2 * len(held))
def timers():
    if libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p())) != 0: raise OSError

epoll = select.epoll()
event = os.eventfd(0)
for number in range(60, 120):
    try: epoll.register(os.dup2(event, number), 0)
    except OSError: pass
os.closerange(60, 120)
start = libc.mmap(None, 450 * 8192, 0, 0x22, -1, 0)
for i in range(450): libc.mprotect(start + i * 8192, 4096, 1)
locked = open('tmp/locked', 'w+')
ready, tell_ready = os.pipe()
go, tell_go = os.pipe()
is_first = all(os.fork() for _ in range(${PROCESSES - 1}))
everything = {}
for make, most in ((sockets, 48), (pipes, 12), (fifos, 4), (locks, 20), (timers, 20), (files, 40)):
    held = everything[make] = []
    try:
        while len(held) < most: held.append(make())
    except OSError: pass
os.write(1, (' '.join(f'{make.__name__}={len(made)}' for make, made in everything.items()) + '\\n').encode())
os.write(tell_ready, b'x')
if is_first:
    for _ in range(${PROCESSES}): os.read(ready, 1)
    os.write(tell_go, bytes(${PROCESSES}))
os.read(go, 1)
for file in everything[files]: os.close(file)
held = []
try:
    while True: held.append(pipes())
except OSError: time.sleep(600)
`;

type Taken = Record<string, number>;

/** The sum of what the processes say. */
function sum(text: string): Taken {
  const taken: Taken = {};
  for (const [, name = '', count] of text.matchAll(/(\w+)=(\d+)/g)) {
    taken[name] = (taken[name] ?? 0) + Number(count);
  }
  return taken;
}

async function attack(jail: Jail): Promise<{ outcome: string; taken: Taken; mebibytes: number }> {
  const before = available();
  let lowest = before;
  const looking = setInterval(() => {
    lowest = Math.min(lowest, available());
  }, 10);
  const { outcome, stdout, stderr } = await jail.jailCode('python', {
    code: ATTACK,
    limits: { realtime: 100, cpu: 60, memory: MEMORY },
  });
  clearInterval(looking);
  expect(stderr.toString()).toBe('');
  const mebibytes = Math.round((before - lowest) / MEBIBYTE);
  return { outcome, taken: sum(stdout.toString()), mebibytes };
}

const lacking = isTestMachine ? '' : ' (needs a machine of its own: npm run test:apparmor)';

(isTestMachine ? describe : describe.skip)(`the kernel’s memory${lacking}`, () => {
  it.each(['cold', 'warm'])(
    'that a %s jail takes is `memory` and 128 MiB at most',
    async (mode) => {
      const warm = mode === 'warm' ? { warm: { size: 1 } } : {};
      const commands = { python: { bin: '/usr/bin/python3', ...warm } };
      const jail = createJail({ commands, cgroup: false });
      try {
        await jail.warmUp();
        await jail.jailCode('python', { code: '', limits: { realtime: 60, cpu: 30 } });
        await jail.warmUp();
        const { outcome, taken, mebibytes } = await attack(jail);
        process.stderr.write(
          `kernel memory, ${mode}, uid ${process.getuid?.()}: ${mebibytes} MiB, ${JSON.stringify(taken)}\n`,
        );
        expect(mebibytes).toBeLessThanOrEqual((MEMORY + BEYOND) / MEBIBYTE);
        // Else the attack has taken nothing, and the measure says nothing.
        expect(outcome).toBe('memory-limit');
        expect(taken['sockets']).toBeGreaterThan(40);
        expect(taken).toMatchObject({ pipes: 12 * PROCESSES, fifos: 4 * PROCESSES });
        expect(mebibytes).toBeGreaterThan(40);
      } finally {
        await jail.close();
      }
    },
    180_000,
  );
});
