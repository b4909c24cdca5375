// Guarantee `disk`: no more bytes and files than its limits.
import { useAttackedJail, expectDenied, outcomes, outcomesOf, run } from './attack';

const MEBIBYTE = 1024 * 1024;
const LIMITS = { fsize: 16 * MEBIBYTE, disk: MEBIBYTE, files: 20 };

const attacked = useAttackedJail();

/** How many of these could be made before an error, and which error it was. */
const COUNT = `
def count(function, most=5000):
    for made in range(most):
        try: function(made)
        except OSError as error: return [made, errno.errorcode[error.errno]]
    return [most, 'none']
`;

describe('disk', () => {
  it('denies more bytes than the limit, in one file and in many', async () => {
    const found = await outcomes(
      attacked.jail,
      `${COUNT}
file = os.open('tmp/one', os.O_WRONLY | os.O_CREAT)
say('one', count(lambda _: os.write(file, bytes(65536))))
os.ftruncate(file, 0)
def another(number):
    with open(f'tmp/{number}', 'wb', 0) as other:
        if other.write(bytes(131072)) < 131072: raise OSError(errno.ENOSPC, '')
say('many', count(another))
`,
      { limits: LIMITS },
    );
    expect(found['one']).toEqual([16, 'ENOSPC']);
    expect(found['many']).toEqual([8, 'ENOSPC']);
  });

  it('denies more than the limit by a file that has lost its name', async () => {
    const found = await outcomes(
      attacked.jail,
      `${COUNT}
kept = []
def hidden(number):
    file = os.open('tmp/hidden', os.O_RDWR | os.O_CREAT)
    os.unlink('tmp/hidden')
    kept.append(file)
    if os.write(file, bytes(131072)) < 131072: raise OSError(errno.ENOSPC, '')
say('hidden', count(hidden))
`,
      { limits: LIMITS },
    );
    expect((found['hidden'] as [number])[0]).toBeLessThanOrEqual(8);
  });

  it('denies filling it with shared memory that no process maps or names', async () => {
    const found = await outcomes(
      attacked.jail,
      `${COUNT}
import mmap
kept = []
def hidden(number):
    file = os.open('/dev/shm/hidden', os.O_RDWR | os.O_CREAT)
    os.unlink('/dev/shm/hidden')
    kept.append(file)
    os.posix_fallocate(file, 0, 131072)
    memory = mmap.mmap(file, 131072)
    memory[0] = 1
    memory.close()
say('hidden', count(hidden))
for _ in range(2): os.close(kept.pop())  # the last has nothing
say('own', count(lambda number: os.posix_fallocate(os.open(f'tmp/{number}', os.O_RDWR | os.O_CREAT), 0, 65536)))
`,
      { limits: LIMITS },
    );
    expect((found['hidden'] as [number, string])[0]).toBeLessThanOrEqual(8);
    expect(found['hidden']).toContain('ENOSPC');
    expect(found['own']).toEqual([2, 'ENOSPC']);
  });

  it('denies filling the disk by a mapping, fallocate and copies', async () => {
    const result = await run(
      attacked.jail,
      `
file = os.open('tmp/file', os.O_RDWR | os.O_CREAT)
attempt('fallocate', os.posix_fallocate, file, 0, 4 << 20)
os.ftruncate(file, 4 << 20)
source = os.open('/usr/lib/os-release', os.O_RDONLY)
import mmap
held = mmap.mmap(file, 4 << 20)
say('mapped', True)
for offset in range(0, 4 << 20, 4096): held[offset] = 1
say('filled', True)
`,
      { limits: LIMITS },
    );
    // A page of a full tmpfs is a SIGBUS.
    expect(result.signal).toBe('SIGBUS');
    expect(result.outcome).toBe('disk-limit');
    expect(outcomesOf(result)).toEqual({ fallocate: 'ENOSPC', mapped: true });
  });

  it('denies more files than the limit, of every kind', async () => {
    const kinds: Record<string, string> = {
      file: `lambda number: os.close(os.open(f'tmp/f{number}', os.O_CREAT))`,
      directory: `lambda number: os.mkdir(f'tmp/d{number}')`,
      symlink: `lambda number: os.symlink('x' * 200, f'tmp/s{number}')`,
      fifo: `lambda number: os.mkfifo(f'tmp/p{number}')`,
      socket: `lambda number: socket.socket(socket.AF_UNIX).bind(f'tmp/u{number}')`,
      'hard link': `lambda number: os.link('tmp/first', f'tmp/h{number}')`,
      'long name': `lambda number: os.close(os.open('tmp/' + str(number) * 80, os.O_CREAT))`,
    };
    for (const [kind, make] of Object.entries(kinds)) {
      const found = await outcomes(
        attacked.jail,
        `${COUNT}\nopen('tmp/first', 'w').close()\nsay('made', count(${make}))`,
        { limits: LIMITS },
      );
      const [made, error] = found['made'] as [number, string];
      expect({ kind, error }).toEqual({ kind, error: 'ENOSPC' });
      expect(made).toBeLessThanOrEqual(LIMITS.files);
      expect(made).toBeGreaterThanOrEqual(LIMITS.files - 2);
    }
  });

  it('denies writing at all where fsize is 0, and says so', async () => {
    const result = await run(
      attacked.jail,
      `
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
os.write(os.open('tmp/x', os.O_WRONLY | os.O_CREAT), b'x')
`,
      { limits: { fsize: 0 } },
    );
    expect(result.outcome).toBe('disk-limit');
    expect(result.exceeded).toMatchObject({ limit: 'fsize', allowed: 0 });
  });

  it('denies one file more than fsize, also at a distance', async () => {
    const found = await outcomes(
      attacked.jail,
      `
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = os.open('tmp/sparse', os.O_RDWR | os.O_CREAT)
attempt('truncate', os.ftruncate, file, 1 << 40)
attempt('write far away', os.pwrite, file, b'x', 1 << 40)
`,
      { limits: LIMITS },
    );
    expectDenied(found, ['truncate', 'write far away']);
  });
});
