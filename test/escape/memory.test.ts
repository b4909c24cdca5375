// Guarantee `memory`: no more than its limit, all processes together, by whatever it is held.
import { readFileSync } from 'node:fs';
import { useAttackedJail, outcomesOf, run } from './attack';

const MEBIBYTE = 1024 * 1024;
const MEMORY = 80 * MEBIBYTE;

const attacked = useAttackedJail();

const FIVE_PROCESSES = `for _ in range(5):
    if os.fork() == 0:
        held = bytearray(40 << 20)
        time.sleep(600)
time.sleep(600)
`;

/** Each takes, or tries to take, much more than MEMORY; none of its processes alone does. */
const HOARDS: Record<string, string> = {
  'many processes, each below the limit': FIVE_PROCESSES,
  'processes behind a root that nobody may enter any more': `
for path in ('/', '/proc'):
    try: os.chmod(path, 0)
    except OSError: pass
${FIVE_PROCESSES}`,
  'processes whose name looks like the kernel’s account of their memory': `
libc.prctl(PR_SET_NAME, b'RssAnon:\\t0', 0, 0, 0)
${FIVE_PROCESSES}`,
  'processes whose first thread has ended': `
import threading
def hoard():
    time.sleep(0.2)
    held = bytearray(40 << 20)
    time.sleep(600)
for _ in range(4):
    if os.fork() == 0: break
threading.Thread(target=hoard).start()
call('exit', 0)
`,
  'processes that nobody may look into': `
libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
${FIVE_PROCESSES}`,
  'orphans in process groups of their own': `
for _ in range(5):
    if os.fork() == 0:
        os.setpgid(0, 0)
        if os.fork() == 0:
            held = bytearray(40 << 20)
            time.sleep(600)
        os._exit(0)
time.sleep(600)
`,
  'page tables': `
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
size = 1 << 38
start = libc.mmap(None, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), MADV_NOHUGEPAGE)
bytes(memoryview((ctypes.c_char * size).from_address(start)).cast('B')[::2 << 20])
time.sleep(600)
`,
  'shared mappings of files in tmp': `
import mmap
for number in range(5):
    file = os.open(f'tmp/{number}', os.O_RDWR | os.O_CREAT)
    os.ftruncate(file, 40 << 20)
    if os.fork() == 0:
        held = mmap.mmap(file, 40 << 20)
        for offset in range(0, 40 << 20, 4096): held[offset] = 1
        time.sleep(600)
time.sleep(600)
`,
};

const hasSwap = readFileSync('/proc/swaps', 'utf8').trim().includes('\n');
const SWAPPED_OUT = `
import mmap
for _ in range(4):
    if os.fork() == 0: break
held = mmap.mmap(-1, 40 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
start = ctypes.addressof(ctypes.c_char.from_buffer(held))
for page in range(0, 40 << 20, 1 << 20):
    held[page:page + (1 << 20)] = os.urandom(1 << 20)
    libc.madvise(ctypes.c_void_p(start + page), ctypes.c_size_t(1 << 20), 21)  # MADV_PAGEOUT
time.sleep(600)
`;

describe('memory', () => {
  it('denies one process more than the limit', async () => {
    const result = await run(attacked.jail, `held = bytearray(400 << 20)\nsay('held', len(held))`, {
      limits: { memory: MEMORY },
    });
    expect(outcomesOf(result)).toEqual({});
    expect(result.status).not.toBe(0);
  });

  it('names the limit and what was measured', async () => {
    const result = await run(
      attacked.jail,
      `held = []\nwhile True: held.append(bytearray(1 << 20)); time.sleep(0.002)`,
      { limits: { memory: MEMORY } },
    );
    expect(result.outcome).toBe('memory-limit');
    expect(result.exceeded).toMatchObject({ limit: 'memory', allowed: MEMORY });
    expect(result.exceeded?.measured).toBeGreaterThan(MEMORY);
  });

  it.each(Object.keys(HOARDS))('denies hoarding in %s', async (name) => {
    const result = await run(attacked.jail, HOARDS[name] ?? '', {
      limits: { memory: MEMORY, realtime: 8, fsize: 64 * MEBIBYTE, disk: 256 * MEBIBYTE },
    });
    expect(result.outcome).toBe('memory-limit');
    // Found out soon: not when twice as much was taken.
    expect(result.exceeded?.measured).toBeLessThan(2 * MEMORY + 40 * MEBIBYTE);
  });

  (hasSwap ? it : it.skip)(
    `denies hoarding in memory that was swapped out${hasSwap ? '' : ' (this host has no swap)'}`,
    async () => {
      const result = await run(attacked.jail, SWAPPED_OUT, {
        limits: { memory: MEMORY, realtime: 8, cpu: 8 },
      });
      expect(result.outcome).toBe('memory-limit');
    },
  );

  it('denies memory that no limit would see', async () => {
    const result = await run(
      attacked.jail,
      `
import mmap
def take(flags): mmap.mmap(-1, 4096, flags=flags | mmap.MAP_ANONYMOUS)
attempt('shared', take, mmap.MAP_SHARED)
attempt('growing down', take, mmap.MAP_PRIVATE | MAP_GROWSDOWN)
attempt('of huge pages', take, mmap.MAP_PRIVATE | MAP_HUGETLB)
attempt('private', take, mmap.MAP_PRIVATE)
`,
    );
    expect(outcomesOf(result)).toEqual({
      shared: 'EACCES',
      'growing down': 'EACCES',
      'of huge pages': 'EACCES',
      private: 'reached',
    });
  });

  // The launcher remembers 512 processes.
  it('denies hoarding behind more processes than the account remembers', async () => {
    const memory = 256 * MEBIBYTE;
    const result = await run(
      attacked.jail,
      `
for _ in range(511):
    if libc.fork() == 0:
        libc.pause()
say('idle', True)
for _ in range(6):
    if os.fork() == 0:
        held = bytearray(60 << 20)
        time.sleep(600)
time.sleep(2)
`,
      { limits: { memory, nproc: 1000, cpu: 20, realtime: 90 } },
    );
    expect(outcomesOf(result)).toEqual({ idle: true });
    expect(result.outcome).toBe('memory-limit');
    expect(result.exceeded?.measured).toBeGreaterThan(memory);
  });

  it('denies hiding from the account by taking the launcher’s descriptors', async () => {
    const result = await run(
      attacked.jail,
      `
for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_DATA):
    try: resource.prlimit(1, which, (0, 0))
    except OSError: pass
${FIVE_PROCESSES}`,
      { limits: { memory: MEMORY, realtime: 8 } },
    );
    expect(result.outcome).toBe('memory-limit');
  });

  it('allows memory that is shared after a fork, counted once', async () => {
    const result = await run(
      attacked.jail,
      `
held = bytearray(64 << 20)
children = [os.fork() for _ in range(3)]  # eight processes
time.sleep(0.5)
if 0 not in children: say('done', True)
`,
      { limits: { memory: 3 * MEMORY } },
    );
    expect(result.outcome).toBe('exited');
    expect(outcomesOf(result)).toEqual({ done: true });
  });
});
