// Guarantee `files`: locks are for the jail's own tmp. On a file of the host's they would be a channel
// between jails, and the host's own users of the file would wait for them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { outcomesOf, run, useAttackedJail } from './attack';

const attacked = useAttackedJail();

const PREPARED = `
import fcntl, struct
F_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 5, 37, 38
def record(kind, start=0, length=0): return struct.pack('hhqqi4x', kind, 0, start, length, 0)
READ, WRITE, NONE = 0, 1, 2
host = open(os.__file__)
own = open('tmp/own', 'w+')
`;

/** Every fifth of a millisecond somebody on the host locks the file; how often that failed. */
function hostUser(): { failures: () => Promise<number> } {
  const code = `
import fcntl, os, select, sys, time
file = open(os.__file__)
tries = failures = 0
while not select.select([0], [], [], 0.0002)[0]:
    tries += 1
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.flock(file, fcntl.LOCK_UN)
    except OSError: failures += 1
    # A program's record lock shows as somebody's, even if that is only for reading.
    import struct
    if struct.unpack('hhqqi4x', fcntl.fcntl(file, 5, struct.pack('hhqqi4x', 1, 0, 0, 0, 0)))[0] != 2: failures += 1
print(failures if tries > 100 else -1)
`;
  const user = spawn('/usr/bin/python3', ['-c', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  return {
    failures: async () => {
      user.stdin.end('\n');
      const [text] = (await once(user.stdout, 'data')) as [Buffer];
      await once(user, 'exit');
      return Number(text.toString());
    },
  };
}

describe('locks', () => {
  it('are denied on all that is not the jail’s own tmp', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
for name, path in [('library', os.__file__), ('directory', '/usr/lib'), ('program', 'jailed_code'), ('null', '/dev/null'), ('self', '/proc/self/status')]:
    try: number = os.open(path, os.O_RDONLY)
    except OSError: continue
    attempt(name + ' flock', fcntl.flock, number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    attempt(name + ' shared', fcntl.flock, number, fcntl.LOCK_SH)
    attempt(name + ' unlock', fcntl.flock, number, fcntl.LOCK_UN)
    attempt(name + ' record', fcntl.lockf, number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    attempt(name + ' waiting', fcntl.lockf, number, fcntl.LOCK_SH)
    attempt(name + ' asked', fcntl.fcntl, number, F_GETLK, record(WRITE))
os.symlink(os.__file__, 'tmp/link')
attempt('link flock', fcntl.flock, open('tmp/link'), fcntl.LOCK_SH)
`,
    );
    expect(new Set(Object.values(outcomesOf(result)))).toEqual(new Set(['EACCES']));
    expect(Object.keys(outcomesOf(result)).length).toBeGreaterThan(12);
  });

  it('of open files by fcntl are those of an old kernel', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
for name, file in [('host', host), ('own', own)]:
    attempt(name, fcntl.fcntl, file, F_OFD_SETLK, record(READ))
    attempt(name + ' waiting', fcntl.fcntl, file, F_OFD_SETLKW, record(READ))
`,
    );
    expect(new Set(Object.values(outcomesOf(result)))).toEqual(new Set(['EINVAL']));
  });

  // Between the look at a descriptor and the lock another thread puts another file under its number.
  it('are denied to threads that race', async () => {
    const user = hostUser();
    const result = await run(
      attacked.jail,
      `${PREPARED}
victim = os.dup(own.fileno())
over = False
def swap():
    while not over:
        os.dup2(host.fileno(), victim)
        os.dup2(own.fileno(), victim)
threads = [threading.Thread(target=swap) for _ in range(2)]
for thread in threads: thread.start()
counts = {}
def tried(function, *arguments):
    try: function(victim, *arguments); name = 'locked'
    except OSError as error: name = errno.errorcode[error.errno]
    counts[name] = counts.get(name, 0) + 1
end = time.monotonic() + 6
while time.monotonic() < end:
    tried(fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    tried(fcntl.flock, fcntl.LOCK_SH)
    tried(fcntl.lockf, fcntl.LOCK_SH | fcntl.LOCK_NB)
    tried(fcntl.lockf, fcntl.LOCK_UN)
over = True
for name, count in counts.items(): say(name, count)
`,
      { limits: { cpu: 20, realtime: 25 } },
    );
    const { locked, EACCES } = outcomesOf(result) as { locked: number; EACCES: number };
    // Both have happened: it was a race.
    expect({ locked: locked > 50, EACCES: EACCES > 50, stderr: result.stderr.toString() }).toEqual({
      locked: true,
      EACCES: true,
      stderr: '',
    });
    expect(await user.failures()).toBe(0);
  });

  it('do not reach from one jail to another', async () => {
    const code = `${PREPARED}
attempt('own', fcntl.flock, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
attempt('record', fcntl.lockf, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
time.sleep(1)
`;
    const results = await Promise.all([run(attacked.jail, code), run(attacked.jail, code)]);
    for (const result of results) {
      expect(outcomesOf(result)).toEqual({ own: 'reached', record: 'reached' });
    }
  });

  it('end with the time limit while they are waited for', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
fcntl.flock(own, fcntl.LOCK_EX)
if os.fork() == 0: fcntl.lockf(own, fcntl.LOCK_EX); time.sleep(600)
fcntl.flock(open('tmp/own'), fcntl.LOCK_EX)
`,
      { limits: { realtime: 1.5 } },
    );
    expect(result.outcome).toBe('time-limit');
  });

  it('are bounded in number', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
taken = 0
try:
    for start in range(0, 12000, 2):
        fcntl.lockf(own, fcntl.LOCK_EX, 1, start); taken += 1
except OSError as error: say('ended', errno.errorcode[error.errno])
say('taken', taken)
fcntl.lockf(own, fcntl.LOCK_UN)
for start in range(0, 100, 2): fcntl.lockf(own, fcntl.LOCK_EX, 1, start)
say('again', True)
`,
      { limits: { cpu: 20, realtime: 60 } },
    );
    const { ended, taken, again } = outcomesOf(result);
    expect({ ended, again }).toEqual({ ended: 'ENOLCK', again: true });
    expect(taken).toBeLessThanOrEqual(4096);
    expect(taken).toBeGreaterThan(2000);
  }, 90_000);
});

describe('locks in tmp', () => {
  it('support flock, between open files', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
other = open('tmp/own')
attempt('first', fcntl.flock, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
attempt('second', fcntl.flock, other, fcntl.LOCK_SH | fcntl.LOCK_NB)
attempt('same', fcntl.flock, os.dup(own.fileno()), fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.flock(own, fcntl.LOCK_UN)
attempt('after', fcntl.flock, other, fcntl.LOCK_EX)
attempt('closed', fcntl.flock, 77, fcntl.LOCK_EX)
attempt('nonsense', fcntl.flock, own, 77)
`,
    );
    expect(outcomesOf(result)).toEqual({
      first: 'reached',
      second: 'EAGAIN',
      same: 'reached',
      after: 'reached',
      closed: 'EBADF',
      nonsense: 'EINVAL',
    });
  });

  it('support record locks, between processes', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
fcntl.lockf(own, fcntl.LOCK_EX, 10, 5)
attempt('once more', fcntl.lockf, open('tmp/own', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 5)
tells, told = os.pipe()
child = os.fork()
if child == 0:
    attempt('same', fcntl.lockf, own, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 14)
    attempt('other', fcntl.lockf, own, fcntl.LOCK_SH | fcntl.LOCK_NB, 5, 0)
    found = struct.unpack('hhqqi4x', fcntl.fcntl(own, F_GETLK, record(WRITE, 0, 100)))
    say('who', list(found[:4]) + [found[4] == os.getppid()])
    os.write(told, b'x')
    fcntl.lockf(own, fcntl.LOCK_EX, 10, 5)
    say('waited', os.path.exists('tmp/given up'))
    os._exit(0)
os.read(tells, 1)
time.sleep(0.3)
open('tmp/given up', 'w').close()
fcntl.lockf(own, fcntl.LOCK_UN, 10, 5)
os.waitpid(child, 0)
attempt('afterwards', fcntl.lockf, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
`,
    );
    expect(outcomesOf(result)).toEqual({
      'once more': 'reached',
      same: 'EAGAIN',
      other: 'reached',
      who: [1, 0, 5, 10, true],
      waited: true,
      afterwards: 'reached',
    });
  });

  it.each(['flock', 'lockf'])('given by %s end with their holder', async (way) => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
tells, told = os.pipe()
child = os.fork()
if child == 0:
    mine = open('tmp/own', 'r+')
    fcntl.${way}(mine, fcntl.LOCK_EX)
    say('held', True)
    os.write(told, b'x')
    time.sleep(600)
os.read(tells, 1)
mine = open('tmp/own', 'r+')
attempt('before', fcntl.${way}, mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
threading.Timer(0.3, os.kill, (child, signal.SIGKILL)).start()
attempt('after', fcntl.${way}, mine, fcntl.LOCK_EX)
`,
    );
    expect(outcomesOf(result)).toEqual({ held: true, before: 'EAGAIN', after: 'reached' });
  });

  it('are no longer waited for when a signal comes', async () => {
    const result = await run(
      attacked.jail,
      `${PREPARED}
fcntl.flock(own, fcntl.LOCK_EX)
class Alarm(Exception): pass
def ring(*_): raise Alarm
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.3)
other = open('tmp/own')
try: fcntl.flock(other, fcntl.LOCK_EX); say('interrupted', False)
except Alarm: say('interrupted', True)
fcntl.flock(own, fcntl.LOCK_UN)
attempt('free', fcntl.flock, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
`,
    );
    expect(outcomesOf(result)).toEqual({ interrupted: true, free: 'reached' });
  });

  it('support sqlite, with threads', async () => {
    const result = await run(
      attacked.jail,
      `
import sqlite3
with sqlite3.connect('tmp/db') as db: db.execute('create table numbers (number)')
def work(number):
    own = sqlite3.connect('tmp/db', timeout=20)
    for _ in range(8):
        with own: own.execute('insert into numbers values (?)', (number,))
    own.close()
child = os.fork()
if child == 0: work(7); os._exit(0)
threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
os.waitpid(child, 0)
say('rows', db.execute('select count(*) from numbers').fetchone()[0])
`,
    );
    expect({ ...outcomesOf(result), stderr: result.stderr.toString() }).toEqual({
      rows: 32,
      stderr: '',
    });
  });
});
