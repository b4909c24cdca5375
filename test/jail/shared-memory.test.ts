// Shared memory and semaphores: /dev/shm is a part of what a jail may write, and what Python's multiprocessing builds on it.
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const MEBIBYTE = 1024 * 1024;
const limits = { fsize: 64 * MEBIBYTE };

async function printed(...lines: string[]): Promise<string> {
  return suite.printed(lines.join('\n'), { limits });
}

describe('multiprocessing', () => {
  it('supports locks, events and conditions between processes', async () => {
    expect(
      await printed(
        'import multiprocessing as m',
        'lock, event, total = m.Lock(), m.Event(), m.Value("i", 0)',
        'def add():',
        '    event.wait()',
        '    for _ in range(100):',
        '        with total.get_lock(): total.value += 1',
        'all = [m.Process(target=add) for _ in range(3)]',
        'for process in all: process.start()',
        'event.set()',
        'for process in all: process.join()',
        'with lock: print(total.value)',
      ),
    ).toBe('300\n');
  });

  it('supports queues', async () => {
    expect(
      await printed(
        'import multiprocessing as m',
        'def answer(questions, answers):',
        '    for question in iter(questions.get, None): answers.put(question ** 2)',
        'q, a = m.Queue(), m.JoinableQueue()',
        'process = m.Process(target=answer, args=(q, a)); process.start()',
        'for number in (1, 2, 3, None): q.put(number)',
        'print([a.get() for _ in range(3)]); process.join()',
      ),
    ).toBe('[1, 4, 9]\n');
  });

  it('supports pools', async () => {
    expect(
      await printed(
        'import multiprocessing as m',
        'def square(x): return x * x',
        'with m.Pool(3) as pool: print(pool.map(square, range(5)))',
      ),
    ).toBe('[0, 1, 4, 9, 16]\n');
  });

  it('supports executors of processes', async () => {
    expect(
      await printed(
        'from concurrent.futures import ProcessPoolExecutor',
        'def square(x): return x * x',
        'with ProcessPoolExecutor(3) as pool: print(sum(pool.map(square, range(10))))',
      ),
    ).toBe('285\n');
  });

  it('supports shared memory, its tracker being another program, which none may start', async () => {
    expect(
      await printed(
        'from multiprocessing import shared_memory, Process',
        'def write(name):',
        '    other = shared_memory.SharedMemory(name=name)',
        '    other.buf[0] = 7; other.close()',
        'mine = shared_memory.SharedMemory(create=True, size=100)',
        'process = Process(target=write, args=(mine.name,)); process.start(); process.join()',
        'print(mine.buf[0], process.exitcode)',
        'mine.close(); mine.unlink()',
        'names = shared_memory.ShareableList([1, "two", 3.0])',
        'print(list(names)); names.shm.close(); names.shm.unlink()',
      ),
    ).toBe("7 0\n[1, 'two', 3.0]\n");
  });

  it('supports more shared memory, one after another, than fits in a pipe to its tracker', async () => {
    expect(
      await printed(
        'from multiprocessing.shared_memory import SharedMemory',
        'for number in range(1500):',
        '    one = SharedMemory(create=True, size=1); one.close(); one.unlink()',
        'print("done")',
      ),
    ).toBe('done\n');
  });

  it('supports it in safeExec', async () => {
    const code = [
      'import multiprocessing as m',
      'def square(x): return x * x',
      'with m.Pool(2) as pool: squares = pool.map(square, range(4))',
    ].join('\n');
    const { globals } = await suite.jail.safeExec(code, {}, { limits });
    expect(globals['squares']).toEqual([0, 1, 4, 9]);
  });
});

describe('/dev/shm', () => {
  it('supports semaphores and shared memory of C', async () => {
    expect(
      await printed(
        'import ctypes, mmap, os',
        'libc = ctypes.CDLL(None, use_errno=True)',
        'libc.sem_open.restype = ctypes.c_void_p',
        "first, again = (libc.sem_open(b'/own', os.O_CREAT, 0o600, 1) for _ in range(2))",
        'print(first == again, libc.sem_wait(ctypes.c_void_p(first)), libc.sem_trywait(ctypes.c_void_p(again)))',
        "print(libc.sem_unlink(b'/own'))",
        "shared = libc.shm_open(b'/memory', os.O_CREAT | os.O_RDWR, 0o600)",
        'os.ftruncate(shared, 4096)',
        'memory = mmap.mmap(shared, 4096)',
        'if os.fork() == 0: memory[0] = 5; os._exit(0)',
        'os.wait()',
        "print(memory[0], libc.shm_unlink(b'/memory'))",
      ),
    ).toBe('True 0 -1\n0\n5 0\n');
  });

  it('is a file system of memory, with what tmp has room for', async () => {
    expect(
      await printed(
        'import os',
        "shared, own = os.statvfs('/dev/shm'), os.statvfs('tmp')",
        'print(shared.f_blocks * shared.f_frsize, shared.f_blocks == own.f_blocks)',
        "print(os.stat('tmp').st_dev == os.stat('/dev/shm').st_dev)",
      ),
    ).toBe(`${64 * MEBIBYTE} True\nTrue\n`);
  });

  it('counts with tmp to `disk`', async () => {
    const code = [
      'import os',
      "with open('tmp/half', 'wb') as file: file.write(bytes(40 << 20))",
      "file = os.open('/dev/shm/half', os.O_RDWR | os.O_CREAT)",
      'os.posix_fallocate(file, 0, 40 << 20)',
    ].join('\n');
    const { outcome, stderr } = await suite.python(code, { limits });
    expect(stderr.toString()).toContain('No space left on device');
    expect(outcome).toBe('exited');
  });

  it('counts with tmp to `files`', async () => {
    expect(
      await printed(
        'import os',
        'made = 0',
        'try:',
        '    while made < 2000:',
        '        os.close(os.open(f\'{("tmp", "/dev/shm")[made % 2]}/{made}\', os.O_CREAT))',
        '        made += 1',
        'except OSError as error: print(made, error.strerror)',
      ),
    ).toBe('1024 No space left on device\n');
  });

  it('is empty for each call, and nothing of it is collected', async () => {
    const code = [
      'import os',
      "os.chmod('/dev/shm', 0o700)",
      "print(os.listdir('/dev/shm'), os.listdir('tmp'))",
      "open('/dev/shm/left', 'w').write('left'); open('tmp/own', 'w').write('own')",
    ].join('\n');
    for (let call = 0; call < 2; call += 1) {
      const { stdout, stderr, collected } = await suite.python(code, { limits, collect: ['**'] });
      expect([stderr.toString(), stdout.toString()]).toEqual(['', '[] []\n']);
      expect(collected.map(({ path }) => path)).toEqual(['own']);
    }
  });

  it('leads nowhere but to the jail’s own', async () => {
    expect(
      await printed(
        'import os',
        "print(os.path.realpath('/dev/shm'), sorted(os.listdir('/dev/shm/..')) if 0 else '')",
        "for path in ('/dev/shm/../tmp', '/dev/shm/tmp', '/dev/shm/..'):",
        '    try: print(os.listdir(path))',
        '    except OSError as error: print(error.strerror)',
      ),
    ).toBe(
      '/dev/codejail-shm \nNo such file or directory\nNo such file or directory\nPermission denied\n',
    );
  });

  it('denies running what was written there', async () => {
    const code = [
      'import os, sys',
      "file = os.open('/dev/shm/own', os.O_RDWR | os.O_CREAT, 0o755)",
      "os.write(file, open(sys.executable, 'rb').read(4096)); os.close(file)",
      "try: os.execv('/dev/shm/own', ['own'])",
      'except OSError as error: print(error.strerror)',
      "import mmap; file = os.open('/dev/shm/own', os.O_RDWR)",
      'try: mmap.mmap(file, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)',
      'except OSError as error: print(error.strerror)',
    ].join('\n');
    expect(await suite.printed(code, { limits })).toBe(
      'Permission denied\nOperation not permitted\n',
    );
  });
});

describe('what no program may start all the same', () => {
  it('denies a Python that is no tracker, and whatever else has its words', async () => {
    expect(
      await printed(
        'import os, subprocess, sys',
        'def attempt(*words):',
        '    try: print(subprocess.run(words, capture_output=True))',
        '    except OSError as error: print(error.strerror)',
        "attempt(sys.executable, '-c', 'print(1)')",
        "attempt('/bin/echo', 'resource_tracker import main;main(99999999999)')",
        "attempt(sys.executable, '-c', 'from multiprocessing.resource_tracker import main;main(77)')",
      ),
    ).toBe('Permission denied\n'.repeat(3));
  });

  it('starts no tracker: who asks for one ends', async () => {
    const code = [
      'import os, sys',
      "words = [sys.executable, '-c', 'from multiprocessing.resource_tracker import main;main(0)']",
      'child = os.fork()',
      'if child == 0: os.execv(sys.executable, words)',
      'print(os.waitpid(child, 0)[1])',
    ].join('\n');
    expect(await suite.printed(code)).toBe('9\n');
  });

  it('holds up no call by pipes that a stand-in has open', async () => {
    const code = [
      'import os, sys',
      'for _ in range(10):',
      '    for n in (0, 1, 2, 3, 99):',
      "        words = [sys.executable, '-c', f'resource_tracker import main;main({n})']",
      '        if os.fork() == 0:',
      '            try: os.execv(sys.executable, words)',
      '            except OSError: os._exit(0)',
      '        os.wait()',
      "os.write(2, b'end')",
    ].join('\n');
    const { outcome, status } = await suite.python(code);
    expect([outcome, status]).toEqual(['exited', 0]);
  });
});

// A command that may execute programs is never warm.
(mode === 'cold' ? describe : describe.skip)('a Python that may start programs', () => {
  async function started(code: string): Promise<string> {
    suite.jail.configure('python', { bin: 'python3', allowExec: true });
    return suite.printed(code, { limits: { ...limits, nproc: 32 } });
  }

  it('can start itself by sys.executable', async () => {
    const code = [
      'import subprocess, sys',
      "print(subprocess.check_output([sys.executable, '-c', 'print(6 * 7)']).decode(), end='')",
    ].join('\n');
    expect(await started(code)).toBe('42\n');
  });

  it('supports the start method spawn', async () => {
    const code = [
      'import multiprocessing as m',
      'def square(x): return x * x',
      "if __name__ == '__main__':",
      "    with m.get_context('spawn').Pool(2) as pool: print(pool.map(square, range(4)))",
    ].join('\n');
    expect(await started(code)).toBe('[0, 1, 4, 9]\n');
  });

  it('finds libraries', async () => {
    const code = "from ctypes.util import find_library; print(find_library('c'))";
    expect(await started(code)).toBe('libc.so.6\n');
  });

  it('has a tracker of its own for shared memory', async () => {
    const code = [
      'from multiprocessing.shared_memory import SharedMemory',
      'one = SharedMemory(create=True, size=10); one.buf[0] = 3; print(one.buf[0])',
      'one.close(); one.unlink()',
    ].join('\n');
    expect(await started(code)).toBe('3\n');
  });
});
