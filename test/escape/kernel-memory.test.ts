// What the kernel keeps for a program and no process maps: how much of each kind one jail can have. The sums are in
// SECURITY.md.
import { expectDenied, outcomes, run, useAttackedJail } from './attack';

const attacked = useAttackedJail();

/** `most(make)` says how many could be made, and which error came then. */
const MOST = `
import select
def most(make, bound=1000):
    made = []
    try:
        while len(made) < bound: made.append(make())
    except OSError as error: return [len(made), errno.errorcode[error.errno]], made
    return [len(made), None], made
def say_most(name, make):
    said, made = most(make)
    say(name, said)
`;

/** Of a jail with the usual 15 tasks; a cold jail's own launcher may be one more. */
function expectMost(found: unknown, bound: number, error: string): void {
  const [count, name] = found as [number, string];
  expect(count).toBeGreaterThanOrEqual(bound);
  expect(count).toBeLessThanOrEqual(Math.ceil((bound * 16) / 15));
  expect(name).toBe(error);
}

it('bounds sockets, those too that nobody has accepted, or that are closed', async () => {
  const found = await outcomes(
    attacked.jail,
    `${MOST}
say_most('streams', lambda: socket.socket(socket.AF_UNIX))
say_most('pairs', socket.socketpair)
say_most('datagrams', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
server = socket.socket(socket.AF_UNIX)
server.bind('\\0server')
server.listen(4096)
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    client.connect('\\0server')
    client.close()
say_most('connections', connect)
server.close()
say_most('again', lambda: socket.socket(socket.AF_UNIX))
`,
  );
  expectMost(found['streams'], 96, 'EMFILE');
  expectMost(found['pairs'], 48, 'EMFILE');
  expectMost(found['datagrams'], 12, 'EMFILE');
  const [connections] = found['connections'] as [number];
  expect(connections).toBeLessThan(103);
  expectMost(found['again'], 96, 'EMFILE');
});

it('bounds watches of epoll, whoever holds the epoll instance, and counts those that are gone no longer', async () => {
  const found = await outcomes(
    attacked.jail,
    `${MOST}
say_most('instances', select.epoll)
def watched():
    held = [select.epoll() for _ in range(8)]
    file = os.eventfd(0)
    numbers = iter(range(40, 120))
    def watch():
        number = os.dup2(file, next(numbers))
        for each in held: each.register(number, 0)
    said, made = most(watch)
    os.closerange(40, 120)
    os.close(file)
    return 8 * said[0], said[1]
say('watches', watched())
say('watches again', watched())
# Who waits in poll holds what another thread closes meanwhile.
held = [select.epoll() for _ in range(8)]
hidden = select.poll()
for each in held: hidden.register(each)
threading.Thread(target=hidden.poll, args=[1000], daemon=True).start()
time.sleep(0.2)
for each in held: each.close()
say('hidden', watched())
`,
  );
  expectMost(found['instances'], 32, 'EMFILE');
  for (const name of ['watches', 'watches again', 'hidden']) {
    const [count, error] = found[name] as [number, string];
    expect(count).toBeGreaterThan(150);
    expect(count).toBeLessThanOrEqual(171);
    expect(error).toBe('ENOSPC');
  }
});

describe('pipes count as memory', () => {
  // Of each both ends are open: a poll for one whose other end is closed is at its end.
  const HIDE = `
import select
threading.stack_size(131072)
def hide(count):
    "As many pipes, which a poll in a thread holds when nobody has a descriptor of them any more."
    held = [end for _ in range(count) for end in os.pipe()]
    poll = select.poll()
    for end in held: poll.register(end, 0)
    thread = threading.Thread(target=poll.poll, daemon=True)
    thread.start()
    # poll or ppoll
    while open(f'/proc/self/task/{thread.native_id}/syscall').read().split()[0] not in ('7', '271', '73'): time.sleep(0.01)
    for end in held: os.close(end)
`;

  it.each([
    [
      'of several processes',
      `
for _ in range(8):
    if os.fork() == 0: break
for _ in range(100): os.close(os.pipe()[1])`,
    ],
    ['that threads hide', `${HIDE}\nfor _ in range(12): hide(50)`],
    [
      'that are FIFOs',
      `
for _ in range(8):
    if os.fork() == 0: break
for number in range(100):
    path = f'tmp/{os.getpid()}.{number}'
    os.mkfifo(path)
    os.open(path, os.O_RDWR)
    os.unlink(path)`,
    ],
  ])('%s', async (_name, code) => {
    const result = await run(attacked.jail, `${code}\nwhile True: time.sleep(0.001)`, {
      limits: { memory: 40 * 1024 * 1024 },
    });
    expect(result.outcome).toBe('memory-limit');
  });

  it('beyond those of an ordinary program', async () => {
    const found = await outcomes(
      attacked.jail,
      `${HIDE}
for _ in range(4): hide(5)
held = [os.pipe() for _ in range(40)]
for _ in range(2000):
    ends = os.pipe()
    for end in ends: os.close(end)
import multiprocessing
context = multiprocessing.get_context('fork')
def work(number, end): end.send(number * number)
total = 0
for number in range(20):
    mine, theirs = context.Pipe(False)
    child = context.Process(target=work, args=(number, theirs))
    child.start()
    total += mine.recv()
    child.join()
say('total', total)
os._exit(0)
`,
      { limits: { memory: 64 * 1024 * 1024 } },
    );
    expect(found).toEqual({ total: 2470 });
  });
});

it('denies passing descriptors on: on their way they count for the user', async () => {
  const found = await outcomes(
    attacked.jail,
    `
one, other = socket.socketpair()
attempt('a message', one.sendmsg, [b'x'])
attempt('descriptors', socket.send_fds, one, [b'x'], [0])
attempt('messages', call, 'sendmmsg', one.fileno(), 0, 0, 0)
`,
  );
  expectDenied(found, ['a message', 'descriptors', 'messages']);
});

it('supports event loops, one after the other', async () => {
  const found = await outcomes(
    attacked.jail,
    `
import asyncio
async def answer():
    reader, writer = await asyncio.open_unix_connection(path='tmp/server')
    writer.write(b'x' * 1000)
    writer.write_eof()
    text = await reader.read()
    writer.close()
    return len(text)
async def serve():
    async def echo(reader, writer):
        writer.write(await reader.read())
        await writer.drain()
        writer.close()
    os.path.exists('tmp/server') and os.unlink('tmp/server')
    async with await asyncio.start_unix_server(echo, path='tmp/server'):
        return await answer()
say('answers', {asyncio.run(serve()) for _ in range(60)} == {1000})
`,
  );
  expect(found).toEqual({ answers: true });
});

describe('mappings count as memory', () => {
  const MAP = `
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
def map(count):
    start = libc.mmap(None, count * 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    for i in range(count):
        libc.mprotect(start + i * 8192, 4096, PROT_READ)
`;
  it.each([
    ['of several processes', `map(30000)\nfor _ in range(9):\n    if os.fork() == 0: break\n`],
    [
      'of processes that nobody may look into',
      `libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)\nmap(30000)\nfor _ in range(9):\n    if os.fork() == 0: break\n`,
    ],
  ])('%s', async (_name, code) => {
    const result = await run(attacked.jail, `${MAP}${code}time.sleep(600)`, {
      limits: { memory: 64 * 1024 * 1024 },
    });
    expect(result.outcome).toBe('memory-limit');
  });

  it('beyond those of an ordinary program', async () => {
    const result = await run(attacked.jail, `${MAP}map(500)\nwhile time.process_time() < 1: pass`, {
      limits: { memory: 32 * 1024 * 1024 },
    });
    expect([result.outcome, result.status]).toEqual(['exited', 0]);
  });
});
