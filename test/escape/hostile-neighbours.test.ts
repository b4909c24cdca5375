// Good calls beside hostile ones of the same jail, and so, warm, of the same user: whatever those take of what Linux counts
// for a user or has for the whole host, no good call fails, nor does the server.
import type { Jail, JailResult } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { createJail } from '../support/jail';
import { LIMITS, run } from './attack';
import { HOSTILE_PROGRAMS } from './hostile-programs';

const GOOD = 200;
const AT_A_TIME = 6;
// Whatever else the machine does: nothing here is about time.
const PATIENT = { realtime: 500, cpu: 60 };
const MEBIBYTE = 1024 * 1024;

jest.setTimeout(600_000);

let jail: Jail;
beforeEach(() => {
  jail = createJail({
    limits: { ...LIMITS, ...PATIENT },
    maxRunning: HOSTILE_PROGRAMS.length + AT_A_TIME,
  });
});
afterEach(async () => jail.close());
// Last, so that it looks when the jail has tidied up.
watchLeftovers();

/** Has `act` done for each of `count` numbers, some at a time, in order. */
async function each(count: number, act: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      await act(i);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** A program of an ordinary kind that uses much of what hostile ones take. */
const ORDINARY = `
import asyncio, ctypes, fcntl, os, select, signal, socket, sys, threading
number = sys.stdin.read()
# Before there are threads: one that is joined may still be there for a moment, and take a signal that it does not block.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, 40])
async def main():
    reader, writer = await asyncio.open_unix_connection(sock=pair[0])
    writer.write(number.encode())
    await writer.drain()
    return (await reader.read(100)).decode()
pair = socket.socketpair()
pair[1].send(b'back ')
pair[1].shutdown(socket.SHUT_WR)
said = [asyncio.run(main()) + pair[1].recv(100).decode()]
r, w = os.pipe()
os.write(w, bytes(4096))
said.append(len(os.read(r, 8192)))
threads = [threading.Thread(target=said.append, args=('thread',)) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
if os.fork() == 0: os._exit(7)
said.append(os.waitstatus_to_exitcode(os.wait()[1]))
os.eventfd_write(event := os.eventfd(0), 3)
said.append(os.eventfd_read(event))
os.pidfd_open(os.getpid())
libc = ctypes.CDLL(None)
said.append(libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p())))
said.append([libc.sigqueue(os.getpid(), 40, None), signal.sigwait([40])])
signal.setitimer(signal.ITIMER_REAL, 0.001)
said.append(signal.sigwait([signal.SIGALRM]))
with open('tmp/out.txt', 'w') as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
    file.write(number)
said.append(len(open('/proc/self/maps').read()) > 1000)
print(*said)
`;

const says = (i: number): string => `back ${i} 4096 thread thread thread 7 3 0 [0, 40] 14 True\n`;

async function ordinary(i: number): Promise<unknown> {
  const { stdout, stderr, outcome, collected } = await jail.jailCode('python', {
    code: ORDINARY,
    stdin: String(i),
    limits: { fsize: MEBIBYTE },
    ...(i % 4 === 0 && { collect: ['*.txt'] }),
  });
  return {
    outcome,
    said: Buffer.concat([stdout, stderr]).toString(),
    collected: collected.map(({ content }) => content.toString()),
  };
}

async function exec(i: number): Promise<unknown> {
  const globals: Record<string, unknown> = { n: i, list: [i, 'é', null] };
  await jail.safeExec('back = list[::-1]\nm = n * 2', globals);
  return [globals['m'], globals['back']];
}

it(`gives ${GOOD} calls what they ask for beside ${HOSTILE_PROGRAMS.length} hostile ones`, async () => {
  const enough = new Error('the good ones are done');
  const end = new AbortController();
  const hostile: Promise<[string, unknown]>[] = [];
  await each(HOSTILE_PROGRAMS.length, async (i) => {
    const [name, code] = HOSTILE_PROGRAMS[i] ?? ['', ''];
    await new Promise<void>((resolve) => {
      const ended = run(jail, code, {
        limits: { memory: 64 * MEBIBYTE, cpu: 1, output: MEBIBYTE, fsize: MEBIBYTE },
        signal: end.signal,
        onStdout: () => {
          resolve();
        },
      }).then(
        ({ outcome, stderr }: JailResult) => `${outcome} ${stderr.toString()}`.trim(),
        (error: unknown) => error,
      );
      void ended.then(() => {
        resolve();
      });
      hostile.push(ended.then((how) => [name, how]));
    });
  });

  const wrong: unknown[] = [];
  await each(GOOD, async (i) => {
    const [call, right] =
      i % 2 === 0
        ? [
            ordinary,
            { outcome: 'exited', said: says(i), collected: i % 4 === 0 ? [String(i)] : [] },
          ]
        : [exec, [i * 2, [null, 'é', i]]];
    const got = await call(i).catch((error: unknown) => error);
    if (got instanceof Error || JSON.stringify(got) !== JSON.stringify(right)) {
      wrong.push(got);
    }
  });
  end.abort(enough);
  const ends = Object.fromEntries(await Promise.all(hostile));

  expect(wrong).toEqual([]);
  // Each has held what it could take, or met a limit: none ended by a mistake of its own.
  for (const [name, how] of Object.entries(ends)) {
    const isEnd = how === enough || /^(cpu|memory|output|disk)-limit$/.test(String(how));
    expect(`${name}: ${isEnd ? 'as meant' : String(how)}`).toBe(`${name}: as meant`);
  }
  expect(Object.values(ends).filter((how) => how === enough).length).toBeGreaterThan(16);
});
