// Forty things that programs are kept from, in their own words, and what has to be said of each.

/** A program that is denied something, and what explains it. */
export interface Denial {
  readonly what: string;
  readonly code: string;
  /** The command; `python` unless it says so. */
  readonly command?: 'bash' | 'node' | 'perl' | 'may exec' | 'a program';
  readonly by: string | null;
  /** Of the options of a call or a command. */
  readonly option: string | null;
  readonly path?: string;
  readonly limits?: object;
}

export const DENIALS: readonly Denial[] = [
  // What may be written, and where.
  {
    what: 'a file with fsize 0',
    code: 'f = open("tmp/x", "w"); f.write("x" * 100000); f.close()',
    limits: { fsize: 0 },
    by: 'fsize',
    option: 'limits.fsize',
  },
  {
    what: 'a temporary file with fsize 0',
    code: 'import tempfile; tempfile.TemporaryFile().write(b"x" * 100000)',
    limits: { fsize: 0 },
    by: 'fsize',
    option: 'limits.fsize',
  },
  {
    what: 'a file larger than fsize',
    code: 'open("tmp/x", "wb", buffering=0).write(b"x" * 100); open("tmp/y", "wb").write(b"x" * 99999)',
    limits: { fsize: 1000 },
    by: 'fsize',
    option: 'limits.fsize',
  },
  {
    what: 'more than the disk',
    code: 'f = open("tmp/x", "wb", buffering=0)\nwhile True: f.write(b"x" * 10000)',
    limits: { fsize: 1 << 24, disk: 100_000 },
    by: 'disk',
    option: 'limits.disk',
  },
  {
    what: 'more files than its number',
    code: 'for i in range(99): open(f"tmp/{i}", "w").close()',
    limits: { files: 10 },
    by: 'files',
    option: 'limits.files',
  },
  {
    what: 'more shared memory than the disk has',
    code: 'from multiprocessing.shared_memory import SharedMemory\nimport os\nfile = os.open("/dev/shm/own", os.O_CREAT | os.O_RDWR)\nos.posix_fallocate(file, 0, 1 << 20)',
    limits: { disk: 100_000, fsize: 1 << 24 },
    by: 'disk',
    option: 'limits.disk',
  },
  {
    what: 'more semaphores than the number of files',
    code: 'import multiprocessing\nlocks = [multiprocessing.Lock() for i in range(3)]\nfor i in range(99): open(f"/dev/shm/{i}", "w").close()',
    limits: { files: 10 },
    by: 'files',
    option: 'limits.files',
  },
  {
    what: 'descriptors that are passed on',
    code: 'import os, socket\none, other = socket.socketpair()\nsocket.send_fds(one, [b"x"], [0])',
    by: 'kernel',
    option: null,
  },
  {
    what: 'shared memory of others',
    code: 'from multiprocessing.shared_memory import SharedMemory\nSharedMemory("of_others")',
    by: 'files',
    option: null,
    path: '/of_others',
  },
  {
    what: 'a list of shared memory',
    code: 'import os; os.listdir("/dev/shm")',
    by: 'files',
    option: null,
    path: '/dev/shm',
  },
  {
    what: 'a file beside tmp',
    code: 'open("result.txt", "w")',
    by: 'files',
    option: 'cwd',
    path: 'result.txt',
  },
  {
    what: 'a directory beside tmp',
    code: 'import os; os.mkdir("out")',
    by: 'files',
    option: 'cwd',
    path: 'out',
  },
  {
    what: 'a file of the system',
    code: 'open("/usr/lib/x", "w")',
    by: 'files',
    option: null,
    path: '/usr/lib/x',
  },
  {
    what: 'a file of the shell, beside tmp',
    code: 'echo x > out.txt',
    command: 'bash',
    by: 'files',
    option: 'cwd',
  },
  // What may be read.
  {
    what: 'a file of the host',
    code: 'open("/etc/passwd")',
    by: 'files',
    option: 'readPaths',
    path: '/etc/passwd',
  },
  {
    what: 'a directory of the host',
    code: 'import os; os.listdir("/root")',
    by: 'files',
    option: 'readPaths',
    path: '/root',
  },
  {
    what: 'a data file that is not there',
    code: 'open("data.csv")',
    by: 'files',
    option: 'extraFiles',
    path: 'data.csv',
  },
  {
    what: 'a file of the host, in Node',
    code: 'require("fs").readFileSync("/etc/passwd")',
    command: 'node',
    by: 'files',
    option: 'readPaths',
    path: '/etc/passwd',
  },
  {
    what: 'a file of the host, in Perl',
    code: 'open(my $f, "<", "/etc/shadow") or die "/etc/shadow: $!";',
    command: 'perl',
    by: 'files',
    option: 'readPaths',
    path: '/etc/shadow',
  },
  {
    what: 'a file of the host, in the shell',
    code: 'read x < /etc/passwd || exit 1',
    command: 'bash',
    by: 'files',
    option: 'readPaths',
    path: '/etc/passwd',
  },
  {
    what: 'what /proc tells of the host',
    code: 'open("/proc/kcore")',
    by: 'metadata',
    option: null,
    path: '/proc/kcore',
  },
  // The network.
  { what: 'a socket', code: 'import socket; socket.socket()', by: 'network', option: null },
  {
    what: 'a connection',
    code: 'import socket; socket.create_connection(("127.0.0.1", 80))',
    by: 'network',
    option: null,
  },
  {
    what: 'a name',
    code: 'import socket; socket.getaddrinfo("example.com", 80)',
    by: 'network',
    option: null,
  },
  {
    what: 'a page',
    code: 'import urllib.request; urllib.request.urlopen("http://example.com/")',
    by: 'network',
    option: null,
  },
  {
    what: 'a connection, in Node',
    code: 'require("net").connect(80, "127.0.0.1")',
    command: 'node',
    by: 'network',
    option: null,
  },
  {
    what: 'a raw packet',
    code: 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)',
    by: 'network',
    option: null,
  },
  // Other programs, and other processes.
  {
    what: 'a program, by subprocess',
    code: 'import subprocess; subprocess.run(["/bin/ls"])',
    by: 'processes',
    option: 'allowExec',
    path: '/bin/ls',
  },
  {
    what: 'a program, by exec',
    code: 'import os; os.execv("/bin/ls", ["ls"])',
    by: 'processes',
    option: 'allowExec',
  },
  {
    what: 'a program, by the shell',
    code: '/bin/ls',
    command: 'bash',
    by: 'processes',
    option: 'allowExec',
  },
  {
    what: 'a program, in Node',
    code: 'require("child_process").execFileSync("/bin/ls")',
    command: 'node',
    by: 'processes',
    option: 'allowExec',
  },
  {
    what: 'a program that is not shown',
    code: '/usr/games/fortune',
    command: 'may exec',
    by: 'files',
    option: 'readPaths',
    path: '/usr/games/fortune',
  },
  {
    what: 'a script whose interpreter is not there',
    code: 'printf "#!/opt/none\\n" > tmp/s; chmod +x tmp/s; tmp/s',
    command: 'may exec',
    by: 'files',
    option: 'readPaths',
  },
  {
    what: 'a program of another machine',
    code: 'printf "\\177ELFxxxxxxxxxxxxxxxxxxxx" > tmp/s; chmod +x tmp/s; tmp/s',
    command: 'may exec',
    by: null,
    option: null,
  },
  {
    what: 'another process’s limits',
    code: 'import resource; resource.prlimit(1, resource.RLIMIT_NOFILE, (9, 9))',
    by: 'processes',
    option: null,
  },
  {
    what: 'more processes than nproc',
    code: 'import os, time\nfor _ in range(9):\n    if os.fork() == 0: time.sleep(9)',
    limits: { nproc: 3 },
    by: 'nproc',
    option: 'limits.nproc',
  },
  {
    what: 'more threads than nproc',
    code: 'import threading, time\nfor _ in range(9): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()',
    limits: { nproc: 3 },
    by: 'nproc',
    option: 'limits.nproc',
  },
  // Resources.
  {
    what: 'more descriptors than openFiles',
    code: 'x = [open("/dev/null") for _ in range(99)]',
    limits: { openFiles: 32 },
    by: 'openFiles',
    option: 'limits.openFiles',
  },
  {
    what: 'more memory than memory',
    code: 'x = bytearray(10**9)',
    limits: { memory: 64 << 20 },
    by: 'memory',
    option: 'limits.memory',
  },
  {
    what: 'more time than cpu',
    code: 'while True: pass',
    limits: { cpu: 0.3 },
    by: 'cpu',
    option: 'limits.cpu',
  },
  {
    what: 'more time than realtime',
    code: 'import time; time.sleep(60)',
    limits: { realtime: 0.5 },
    by: 'realtime',
    option: 'limits.realtime',
  },
  {
    what: 'more output than output',
    code: 'while True: print("x" * 1000)',
    limits: { output: 10_000 },
    by: 'output',
    option: 'limits.output',
  },
  {
    what: 'more stack than memory, without a limit of the stack',
    code: 'import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())',
    limits: { stack: 0, memory: 64 << 20 },
    by: 'memory',
    option: 'limits.memory',
  },
  {
    what: 'a mapped file beyond its end',
    code: 'import ctypes, mmap, os\nwith open("tmp/x", "w+b") as f:\n    f.truncate(4096); m = mmap.mmap(f.fileno(), 4096); f.truncate(0)\nm[0]',
    by: null,
    option: null,
  },
  {
    what: 'more stack than stack',
    code: 'import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())',
    by: 'stack',
    option: 'limits.stack',
  },
  // The kernel.
  { what: 'to become root', code: 'import os; os.setuid(0)', by: 'identity', option: null },
  {
    what: 'to mount',
    code: 'import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nif libc.mount(b"none", b"/tmp", b"tmpfs", 0, None): raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))',
    by: 'kernel',
    option: null,
  },
  {
    what: 'memory without a file',
    code: 'import os; os.memfd_create("x")',
    by: 'kernel',
    option: null,
  },
  {
    what: 'a module that is not there',
    code: 'import nothing_of_that_name',
    by: 'files',
    option: 'pythonPath',
  },
];
