// Each attack, and the layers that stop it. With one of them on it is denied; with none of them it gets through, or
// its test would prove nothing: that is tried in the throwaway machine only (test/support/layers.ts).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { hostFacts } from '../../lib/host/host';
import type { Jail } from '../../lib/index';
import { attackedJail, expectDenied, outcomes, type Outcomes } from '../escape/attack';
import type { Layer } from '../support/layers';

declare const CODEJAIL_TEST_LAYERS: string | undefined;
const configured = typeof CODEJAIL_TEST_LAYERS === 'undefined' ? null : CODEJAIL_TEST_LAYERS;
const layers = configured?.split(' ').filter(Boolean) ?? ['own-root', 'landlock', 'seccomp'];

// Newer Landlock denies more (landlock(7)): TCP since version 4, signals since version 6.
const landlockSince = (version: number): Layer[] =>
  hostFacts().landlock >= version ? ['landlock'] : [];

// An emulated machine that shares its processors may be a hundred times slower.
// No sums: without a root of its own, a jail under Landlock has no /proc to take them from, and is not made.
const UNHURRIED = { cpu: 0, memory: 0, realtime: 120 };

let jail: Jail;

beforeAll(() => {
  jail = attackedJail();
});

afterAll(async () => {
  await jail.close();
});

/** Signals a process outside that has the jail's uid, which the kernel by itself allows. */
async function signalBystander(): Promise<Outcomes> {
  let learn: (uid: number) => void = () => undefined;
  const learnt = new Promise<number>((resolve) => (learn = resolve));
  let bystander: ChildProcess | undefined;
  // It can start only when the jail runs: uids of which there is a process are not leased.
  const tellProcess = async function* (): AsyncGenerator<string> {
    const uid = await learnt;
    bystander = spawn('sleep', ['300'], { uid, gid: uid, stdio: 'ignore' });
    await once(bystander, 'spawn');
    yield `${bystander.pid ?? 0}\n`;
  };
  try {
    const { signal } = await outcomes(
      jail,
      `
say('uid', os.getuid())
attempt('signal', os.kill, int(sys.stdin.readline()), signal.SIGTERM)
`,
      {
        limits: UNHURRIED,
        onStdout: (chunk) => {
          const uid = /"uid", (\d+)/.exec(chunk.toString())?.[1];
          if (uid !== undefined) {
            learn(Number(uid));
          }
        },
        stdin: tellProcess(),
      },
    );
    return { signal };
  } finally {
    bystander?.kill('SIGKILL');
  }
}

/** One attack, in Python: it is to be denied where one of `servedBy` is switched on. */
function defence(
  name: string,
  servedBy: readonly Layer[],
  attack: string | (() => Promise<Outcomes>),
): void {
  const body = async (): Promise<void> => {
    const found =
      typeof attack === 'string'
        ? await outcomes(jail, attack, { limits: UNHURRIED })
        : await attack();
    expect(Object.keys(found).length).toBeGreaterThan(0);
    expectDenied(found, Object.keys(found));
  };
  if (servedBy.some((layer) => layers.includes(layer))) {
    it(`denies ${name}`, body);
  } else if (configured === null) {
    it.skip(`denies ${name} (needs ${servedBy.join(' or ')}: npm run test:apparmor)`, body);
  } else {
    it(`fails to deny ${name} without ${servedBy.join(' and ')}`, async () => {
      await expect(body()).rejects.toThrow(/reached/);
    });
  }
}

describe(`a jail with ${layers.length === 0 ? 'no layer' : layers.join(', ')}`, () => {
  jest.setTimeout(180_000);

  describe('files', () => {
    defence(
      'reading files of the host',
      ['own-root', 'landlock', 'apparmor'],
      `
for path in ('/etc/passwd', '/etc/hostname', '/usr/bin/env', '/proc/version'):
    attempt(path, lambda: open(path, 'rb').read(1))
`,
    );
    defence(
      'listing directories of the host',
      ['own-root', 'landlock', 'apparmor'],
      "for path in ('/', '/etc', '/tmp', '/usr'): attempt(path, os.listdir, path)",
    );
    defence(
      'writing outside of its tmp',
      ['own-root', 'landlock', 'apparmor'],
      `
import uuid
path = f'/tmp/denials-{uuid.uuid4()}'
attempt('/tmp', lambda: (open(path, 'w').close(), os.unlink(path)))
`,
    );
    defence(
      'asking whether files of the host are there',
      ['own-root'],
      "attempt('stat', os.stat, '/etc/passwd')",
    );
    defence(
      'opening its own namespaces',
      ['apparmor'],
      "attempt('namespace', os.open, '/proc/self/ns/mnt', os.O_RDONLY)",
    );
  });

  describe('locks', () => {
    defence(
      'locks on files of the host',
      ['seccomp', 'apparmor'],
      `
import fcntl
shown = open(os.__file__)
attempt('flock', fcntl.flock, shown, fcntl.LOCK_SH | fcntl.LOCK_NB)
attempt('record', fcntl.lockf, shown, fcntl.LOCK_SH | fcntl.LOCK_NB)
`,
    );

    // The launcher takes them where there is a filter, and may look at the program where both have one uid.
    const canLook = layers.includes('own-root') || !layers.includes('seccomp');
    const lacking = canLook ? '' : ' (needs a root of its own)';
    (canLook ? it : it.skip)(`supports them in its own tmp${lacking}`, async () => {
      const found = await outcomes(
        jail,
        `
import fcntl, sqlite3
own = open('tmp/own', 'w')
attempt('flock', fcntl.flock, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
attempt('record', fcntl.lockf, own, fcntl.LOCK_EX | fcntl.LOCK_NB)
def work():
    database = sqlite3.connect('tmp/database', timeout=60)
    with database: database.execute('create table if not exists numbers (number)')
    for number in range(3):
        with database: database.execute('insert into numbers values (?)', (number,))
    return database
child = os.fork()
if child == 0:
    work()
    os._exit(0)
database = work()
os.waitpid(child, 0)
say('rows', database.execute('select count(*) from numbers').fetchone()[0])
`,
        { limits: UNHURRIED },
      );
      expect(found).toEqual({ flock: 'reached', record: 'reached', rows: 6 });
    });
  });

  describe('network', () => {
    defence(
      'sockets of the network',
      ['seccomp', 'apparmor'],
      `
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        if (family, kind) != (socket.AF_NETLINK, socket.SOCK_STREAM):
            attempt(f'{int(family)}/{int(kind)}', lambda: socket.socket(family, kind).close())
`,
    );

    it('denies reaching a server, by any layer; without one it is reached', async () => {
      let reached = 0;
      const server = createServer(() => (reached += 1)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      await outcomes(
        jail,
        `attempt('connect', socket.create_connection, ('127.0.0.1', ${port}), 5)`,
        { limits: UNHURRIED },
      );
      server.close();
      await once(server, 'close');
      const isServed = ['own-root', 'seccomp', 'apparmor', ...landlockSince(4)].some((layer) =>
        layers.includes(layer),
      );
      expect(reached).toBe(isServed ? 0 : 1);
    });
  });

  describe('processes', () => {
    defence(
      'executing other programs',
      ['seccomp', 'apparmor'],
      `
import glob
def run(path):
    # What it prints is no part of the outcome.
    quiet = [(os.POSIX_SPAWN_OPEN, 2, '/dev/null', os.O_WRONLY, 0)]
    os.waitpid(os.posix_spawn(path, [path], {}, file_actions=quiet), 0)
# The loader is where Python needs it, in every layout.
loader = os.path.realpath(glob.glob('/lib64/ld-linux*')[0] if os.path.exists('/lib64') else glob.glob('/lib/ld-linux*')[0])
attempt('loader', run, loader)
with open('tmp/program', 'wb') as copy, open(loader, 'rb') as own: copy.write(own.read())
os.chmod('tmp/program', 0o755)
attempt('written', run, 'tmp/program')
`,
    );
    defence(
      'tracing its own children',
      // AppArmor can't tell the program from its launcher, which needs as much (locks).
      ['seccomp'],
      `
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
attempt('attach', call, 'ptrace', PTRACE_ATTACH, child, 0, 0)
os.kill(child, 9)
`,
    );
  });

  if (process.getuid?.() === 0) {
    describe('other processes', () => {
      defence(
        'signals to a process outside',
        // An ordinary user's jails have a PID namespace in any case, in which nobody else has a number.
        ['own-root', 'apparmor', ...landlockSince(6)],
        signalBystander,
      );
    });
  }

  describe('kernel', () => {
    defence(
      'new user namespaces',
      ['seccomp'],
      "attempt('unshare', call, 'unshare', CLONE_NEWUSER)",
    );
    defence(
      'keys',
      ['seccomp'],
      "attempt('keyctl', call, 'keyctl', KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1)",
    );
  });
});
