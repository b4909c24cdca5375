# What ordinary Python programs ask of the kernel, by as much of the standard library as a jail serves.
import array
import asyncio
import contextlib
import ctypes
import decimal
import hashlib
import io
import json
import mmap
import os
import pathlib
import queue
import random
import resource
import secrets
import select
import selectors
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

here = pathlib.Path('tmp')


async def asynchronous():
    reader, writer = socket.socketpair()
    there = await asyncio.open_unix_connection(sock=writer)
    here_ = await asyncio.open_unix_connection(sock=reader)
    there[1].write(b'over a pair\n')
    line = await here_[0].readline()
    numbers = await asyncio.gather(*(asyncio.to_thread(pow, 2, n) for n in range(4)))
    async with asyncio.timeout(5):
        await asyncio.sleep(0.001)
    there[1].close()
    here_[1].close()
    return line, numbers


def served():
    path = str(here / 'socket')
    server = socket.socket(socket.AF_UNIX)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(path)
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(path)
    accepted, _ = server.accept()
    with server, client, accepted:
        client.sendall(b'question')
        answer = accepted.recv(100, socket.MSG_PEEK) == accepted.recv(8, socket.MSG_WAITALL)
        credentials = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        again = socket.socket(fileno=os.dup(client.fileno()))
        with again:
            return answer, struct.unpack('3i', credentials)[0] == os.getpid(), error, again.type.name


def forked():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b'from a child')
        os._exit(3)
    pidfd = os.pidfd_open(child)
    os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)
    _, status = os.waitpid(child, 0)
    return os.read(reading, 100), os.waitstatus_to_exitcode(status)


def selected():
    found = []
    for kind in (selectors.EpollSelector, selectors.PollSelector, selectors.SelectSelector):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.write(writing, b'x')
        with kind() as selector:
            selector.register(reading, selectors.EVENT_READ)
            found.append(len(selector.select(5)))
    return found


def mapped():
    path = here / 'mapped'
    path.write_bytes(bytes(8192))
    with path.open('r+b') as file:
        with mmap.mmap(file.fileno(), 0) as shared:
            shared[5000] = 7
            shared.flush()
            shared.madvise(mmap.MADV_SEQUENTIAL)
            shared.resize(4096 * 4)
        os.posix_fallocate(file.fileno(), 0, 20000)
        private = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        private[1000] = 1
        private.madvise(mmap.MADV_DONTNEED)
        return path.read_bytes()[5000], path.stat().st_size, private[1000]


def timed():
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append('alarm'))
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.pause()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGUSR1)
    seen.append(signal.sigwait({signal.SIGUSR1}).name)
    return seen


def threaded():
    tasks, results = queue.Queue(), []
    lock, gate = threading.RLock(), threading.Barrier(4)

    def work():
        gate.wait()
        while (task := tasks.get()) is not None:
            with lock:
                results.append(task)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for task in [*range(20), None, None, None, None]:
        tasks.put(task)
    for thread in threads:
        thread.join()
    with ThreadPoolExecutor(3) as pool:
        return sorted(results) == list(range(20)), list(pool.map(abs, [-1, -2]))


def stored():
    with contextlib.closing(sqlite3.connect(here / 'base')) as base:
        base.execute('pragma journal_mode = wal')
        base.execute('create table t (x)')
        base.executemany('insert into t values (?)', [(n,) for n in range(100)])
        base.commit()
        return base.execute('select sum(x) from t').fetchone()[0]


def filed():
    with tempfile.TemporaryDirectory(dir='tmp') as folder:
        one, two = pathlib.Path(folder, 'one'), pathlib.Path(folder, 'two')
        one.write_text('text')
        shutil.copy2(one, two)
        two.rename(two.with_name('three'))
        os.link(one, pathlib.Path(folder, 'link'))
        os.symlink('one', pathlib.Path(folder, 'symbolic'))
        os.truncate(one, 2)
        with one.open('rb+') as file, pathlib.Path(folder, 'out').open('wb') as out:
            os.sendfile(out.fileno(), file.fileno(), 0, 2)
            os.fsync(out.fileno())
            os.copy_file_range(file.fileno(), out.fileno(), 1)
            os.pwritev(out.fileno(), [b'ab'], 0)
            os.preadv(file.fileno(), [bytearray(2)], 0)
        os.chmod(one, 0o600)
        os.utime(one, (1, 1))
        return sorted(p.name for p in os.scandir(folder)), shutil.disk_usage(folder).total > 0


def limited():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft // 2, hard))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.sched_yield()
    os.nice(1)
    return soft > 2, usage.ru_maxrss > 0, os.cpu_count() > 0, os.isatty(0), len(os.getloadavg())


def called():
    libc = ctypes.CDLL(None, use_errno=True)
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    libc.qsort(numbers, 3, 4, callback(lambda a, b: a[0] - b[0]))
    name = ctypes.create_string_buffer(16)
    return list(numbers), libc.prctl(15, b'renamed', 0, 0, 0), libc.prctl(16, name, 0, 0, 0), name.value


def computed():
    decimal.getcontext().prec = 50
    return (
        str(decimal.Decimal(2).sqrt())[:12],
        hashlib.sha256(b'x' * 100000).hexdigest()[:8],
        zlib.crc32(zlib.compress(b'x' * 1000)),
        len(secrets.token_bytes(8)) + len(random.randbytes(4)) + len(os.getrandom(4, os.GRND_NONBLOCK)),
        ssl.create_default_context().verify_mode.name,
        io.StringIO('text').read(),
        sum(array.array('d', [1.5]) * 1000),
        json.dumps({'time': time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) > 0}),
        select.select([], [], [], 0.001),
    )


for part in (served, forked, selected, mapped, timed, threaded, stored, filed, limited, called, computed):
    print(part.__name__, part())
print('asynchronous', asyncio.run(asynchronous()))
