// Programs that take as much as they can of what Linux counts for a user or has for the whole host, and hold it. Each
// says so once, when it holds what it got, or before it begins to burn.

const PRELUDE = `
import fcntl, select
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
kept = []
def take(make, bound=2000):
    try:
        for _ in range(bound): kept.append(make())
    except (OSError, MemoryError, RuntimeError): pass
def crowd(count=12):
    # Each process has a number of descriptors, timers and mappings of its own.
    for _ in range(count):
        try:
            if os.fork() == 0: return
        except OSError: return
def up(): os.write(1, b'up')
def library(name, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    if result == -1: raise OSError(ctypes.get_errno(), name)
    return result
def fill(kind):
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    one.setblocking(False)
    try:
        while True: one.send(bytes(32768))
    except OSError: pass
    one.close()
    return other
`;

const HOLDERS: Readonly<Record<string, string>> = {
  'descriptors in flight': `
def pass_on():
    one, other = socket.socketpair()
    socket.send_fds(one, [b'x'], [0] * 250)
    return one, other
take(pass_on)
kept.extend(socket.socketpair())
take(lambda: call('sendmmsg', kept[-1].fileno(), 0, 0, 0))`,
  'epoll watches': `
take(select.epoll)
epolls = list(kept)
file, numbers = os.eventfd(0), iter(range(60, 120))
def watch():
    number = os.dup2(file, next(numbers, 120))
    for each in epolls: each.register(number, 0)
    os.close(number)
take(watch, 60)`,
  'streams that nobody reads': 'take(lambda: fill(socket.SOCK_STREAM))',
  'datagrams that nobody reads': 'take(lambda: fill(socket.SOCK_DGRAM))',
  'connections that nobody accepts': `
server = socket.socket(socket.AF_UNIX)
server.bind('\\0server')
server.listen(4096)
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    client.connect('\\0server')
    client.send(bytes(100_000))
take(connect)`,
  pipes: `
crowd()
def pipe():
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True: os.write(w, bytes(4096))
    except OSError: pass
    os.close(w)
    return r
take(pipe)`,
  'pipes made larger': `
def pipe():
    r, w = os.pipe()
    try: fcntl.fcntl(w, 1031, 1 << 20)
    except OSError: pass
    return r, w
crowd()
take(pipe)`,
  inotify:
    'take(lambda: library("inotify_init1", 0))\ntake(lambda: call("inotify_add_watch", 0, b"/usr", IN_MODIFY))',
  fanotify: 'take(lambda: call("fanotify_init", 0, 0))',
  'queues of messages': `
take(lambda: call('mq_open', f'q{len(kept)}'.encode(), os.O_CREAT | os.O_RDWR, 0o600, None))
take(lambda: library('msgget', 0, 0o1600))`,
  'queued signals': `
signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 60))
crowd()
take(lambda: library('sigqueue', os.getpid(), 40, None))`,
  timers: `
crowd()
take(lambda: library('timer_create', 0, None, ctypes.byref(ctypes.c_void_p())))`,
  'locked memory': `
take(lambda: library('mlockall', MCL_CURRENT | MCL_FUTURE), 1)
start = libc.mmap(None, 1 << 24, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
take(lambda: library('mlock', start, 1 << 24), 1)
take(lambda: libc.mmap(None, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0), 16)`,
  keys: `
take(lambda: call('add_key', b'user', f'k{len(kept)}'.encode(), bytes(4096), 4096, KEY_SPEC_SESSION_KEYRING))
take(lambda: call('keyctl', KEYCTL_JOIN_SESSION_KEYRING, None), 100)`,
  namespaces: `
for flag in (CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET,
             CLONE_NEWTIME):
    take(lambda: call('unshare', flag), 100)
    take(lambda: call('clone', flag | signal.SIGCHLD, 0, 0, 0, 0), 5)`,
  'asynchronous requests': `
take(lambda: call('io_setup', 60_000, ctypes.byref(ctypes.c_ulong())))
take(lambda: call('io_uring_setup', 4096, bytes(120)))`,
  'shared memory': `
take(lambda: library('shmget', 0, 1 << 20, 0o1600))
take(lambda: library('semget', 0, 250, 0o1600))
take(lambda: os.memfd_create('x'))
take(lambda: os.open(f'/dev/shm/{len(kept)}', os.O_CREAT | os.O_RDWR))
take(lambda: libc.mmap(None, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 100)`,
  terminals: 'take(lambda: os.open("/dev/ptmx", os.O_RDWR))\ntake(os.openpty)',
  pidfds: 'crowd()\ntake(lambda: os.pidfd_open(os.getppid()))',
  'eventfds, timerfds and signalfds': `
crowd()
take(lambda: os.eventfd(0), 40)
take(lambda: library('timerfd_create', 1, 0), 40)
take(lambda: library('signalfd', -1, bytes(128), 0))`,
  'open files of proc': `
crowd()
def file():
    number = os.open('/proc/self/maps', os.O_RDONLY)
    os.read(number, 4096)
    return number
take(file)`,
  'leases and locks of shared files': `
shared = os.open(os.__file__, os.O_RDONLY)
def lock(operation):
    try: fcntl.flock(shared, operation | fcntl.LOCK_NB)
    except OSError: pass
lock(fcntl.LOCK_EX)
for kind in (0, 1):
    take(lambda: fcntl.fcntl(shared, fcntl.F_SETLEASE, kind), 1)
take(lambda: fcntl.fcntl(os.open('/', 0), fcntl.F_NOTIFY, 1), 100)`,
  'locks of its own files': `
own = os.open('tmp/locked', os.O_CREAT | os.O_RDWR)
at = iter(range(0, 1 << 30, 2))
take(lambda: fcntl.lockf(own, fcntl.LOCK_SH, 1, next(at)))`,
  'names that are not there': `
for i in range(20_000): os.path.exists(f'/usr/{i}')
take(lambda: os.mkdir(f'tmp/{len(kept)}'))`,
  'layers of filters, futexes': `
take(lambda: library('prctl', 78, 1, 1 << 24, 0, 0), 2)
take(lambda: call('seccomp', SECCOMP_SET_MODE_FILTER, 0, None), 100)
take(lambda: call('landlock_create_ruleset', None, 0, 0), 100)`,
  threads: `
wait = threading.Event()
take(lambda: threading.Thread(target=wait.wait, daemon=True).start())`,
  processes: `
def child():
    if os.fork() == 0: time.sleep(600)
take(child)`,
};

// What ends by its limits.
const BURNERS: Readonly<Record<string, string>> = {
  'sessions that compute': `
crowd()
try: os.setsid()
except OSError: pass
while True: pass`,
  'forks without end': `
while True:
    try:
        if os.fork() == 0: os._exit(0)
        os.waitpid(-1, 0)
    except OSError: pass`,
  mappings: `
start = libc.mmap(None, 30_000 * 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
for i in range(30_000): libc.mprotect(start + i * 8192, 4096, PROT_READ)
crowd()
time.sleep(600)`,
  'page tables': `
size = 1 << 36
start = libc.mmap(None, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
for at in range(0, size, 2 << 20): ctypes.c_char.from_address(start + at).value
time.sleep(600)`,
  output: 'while True: os.write(1, bytes(65536))',
};

/** Name and code of each; they need the prelude of `run` (attack.ts). */
export const HOSTILE_PROGRAMS: readonly (readonly [name: string, code: string])[] = [
  ...Object.entries(HOLDERS).map(
    ([name, code]) => [name, `${PRELUDE}${code}\nup()\ntime.sleep(600)`] as const,
  ),
  ...Object.entries(BURNERS).map(([name, code]) => [name, `${PRELUDE}up()\n${code}`] as const),
];
