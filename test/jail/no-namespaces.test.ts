// The fourth kind of host: root in a stock container, which may change uids and nothing else. The way
// of confining needs no namespace, so root can go it on any host with Landlock.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_UID_POOL, planConfinement, type Confinement } from '../../lib/confinement/plan';
import { removeHostDirectory } from '../../lib/cold/host-directory';
import { leaseDirectory } from '../../lib/host/lease-directory';
import { native } from '../../lib/native/addon';
import { prove } from '../../lib/proof/probe';
import { find } from '../support/runtime';
import { coldPython } from '../support/cold-python';
import { watchLeftovers } from '../support/leftovers';
import { confinement, facts, python, test_, WISHES } from '../support/no-namespaces';
import { autogroup, nice } from '../support/processes';

watchLeftovers();

/** Python that leaves processes behind which no process group ties to the program. */
const GROUPS = [
  'import os, sys, time',
  'for _ in range(3):',
  '    if os.fork() == 0:',
  '        os.setpgid(0, 0)',
  '        if os.fork() == 0: time.sleep(600)',
  '        os._exit(0)',
].join('\n');

/** A service of the host's, on an abstract name that it tells and on a path: what it hears it prints. */
const HOST_SERVICE = `
import os, select, socket, sys
path = sys.argv[1]
name = f'codejail-host-{os.getpid()}'
services = [socket.socket(socket.AF_UNIX, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_DGRAM)]
services[0].bind('\\0' + name)
services[1].bind(path)
os.chmod(path, 0o666)
print(name)
while True:
    for service in select.select(services, [], [])[0]: print(service.recv(100))
`;

const SET_ATTRIBUTES =
  'import os, sys\ntry: os.setxattr(sys.argv[1], "user.note", b"secret")\nexcept OSError: pass';

function uidIn(printed: string): number {
  const uid = Number(printed);
  expect(uid).toBeGreaterThanOrEqual(DEFAULT_UID_POOL.first);
  return uid;
}

function processesOf(uid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return (
          statSync(`/proc/${name}`).uid === uid &&
          !/^State:\s*Z/m.test(readFileSync(`/proc/${name}/status`, 'utf8'))
        );
      } catch {
        return false;
      }
    });
}

/** What a program of a server in a process of its own says of itself. */
interface Abandoned {
  launcher: number;
  orphan: string;
  directory: string;
}

/** Leaves an orphan in a process group of its own, and tells of it. */
const ABANDON = [
  'import json, os, time',
  'reader, writer = os.pipe()',
  'if os.fork() == 0:',
  '    os.setpgid(0, 0)',
  '    if os.fork() == 0:',
  '        os.write(writer, str(os.getpid()).encode())',
  '        time.sleep(60)',
  '    os._exit(0)',
  'orphan = os.read(reader, 20).decode()',
  'print(json.dumps({"launcher": os.getppid(), "orphan": orphan, "directory": os.getcwd()}), flush=True)',
  'time.sleep(60)',
].join('\n');

/** Runs `ABANDON` from another server, and kills that with its launcher, so that nobody ends the orphan. */
async function abandonedOrphan(plan: Confinement): Promise<Abandoned> {
  const support = join(__dirname, '..', 'support');
  const source = `
    const { coldPython } = require(${JSON.stringify(join(support, 'cold-python.ts'))});
    void coldPython(${JSON.stringify(plan)}, ${JSON.stringify(ABANDON)}, { realtime: 60, cpu: 10 }, {
      onStdout: (chunk) => { process.stdout.write(chunk); },
    });`;
  const server = spawn(
    process.execPath,
    ['-r', join(support, 'load-typescript.js'), '-e', source],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const abandoned = JSON.parse(line.toString()) as Abandoned;
  // Else it would see the end of its server, and end all.
  process.kill(abandoned.launcher, 'SIGSTOP');
  server.kill('SIGKILL');
  await text(server.stdout);
  process.kill(abandoned.launcher, 'SIGKILL');
  return abandoned;
}

describe('a host without namespaces', () => {
  jest.setTimeout(180_000);

  it('has user namespaces tried first, since root of a container may be allowed them', () => {
    const plans = planConfinement(WISHES, { ...facts, kind: 'container' });
    expect(plans.map(({ namespaces }) => namespaces !== 0)).toEqual([true, false]);
  });

  test_('lets a program open its streams anew, and find a library', async () => {
    const { stdout, stderr } = await python(
      [
        'from ctypes.util import find_library',
        "open('/dev/stdout', 'w').write(open('/dev/stdin').read())",
        'print(find_library("c"))',
      ].join('\n'),
      { stdin: 'given ' },
    );
    expect([stderr.toString(), stdout.toString()]).toEqual(['', 'given libc.so.6\n']);
  });

  test_('denies the shared memory of the host, of which nothing would be counted', async () => {
    const { stdout } = await python(
      [
        'import os, multiprocessing as m',
        "for attempt in (m.Lock, lambda: os.open('/dev/shm', os.O_RDONLY),",
        "                lambda: os.open('/dev/shm/codejail-own', os.O_CREAT | os.O_RDWR)):",
        '    try: attempt(); print("reached")',
        '    except OSError as error: print(error.strerror)',
      ].join('\n'),
    );
    expect(stdout.toString()).toBe('Permission denied\n'.repeat(3));
  });

  test_('holds every guarantee but metadata and the total of the disk', async () => {
    const runtime = await find('/usr/bin/python3');
    const { checks, missing } = await prove(confinement(), runtime.view);
    const broken = checks.filter(({ held }) => !held);
    expect([...new Set(broken.map(({ guarantee }) => guarantee))].sort()).toEqual([
      'disk',
      'metadata',
    ]);
    expect(missing.map(({ guarantee }) => guarantee)).toEqual(['metadata', 'disk']);
    expect(missing[0]?.cure).toContain("allowMissing: ['metadata']");
    expect(missing[1]?.cure).toContain("allowMissing: ['disk']");
  });

  test_('supports a program with files, a writable tmp and collect', async () => {
    const result = await python(
      'import os\nprint(open("data/in.txt").read(), sorted(os.listdir(".")))\nopen("tmp/out", "w").write("left")',
      {
        files: [
          {
            name: 'jailed_code',
            content:
              'import os\nprint(open("data/in.txt").read(), sorted(os.listdir(".")))\nopen("tmp/out", "w").write("left")',
          },
          { name: 'data/in.txt', content: 'in' },
        ],
        collect: ['out'],
      },
    );
    expect(result.stderr.toString()).toBe('');
    expect(result.stdout.toString()).toBe("in ['data', 'jailed_code', 'tmp']\n");
    expect(result.collected.map(({ content }) => content.toString())).toEqual(['left']);
  });

  test_('denies truncation by name where Landlock does not know of it', async () => {
    const code = [
      'import errno, os',
      'def attempt(name, function, *arguments):',
      '    try: function(*arguments)',
      '    except OSError as error: print(name, errno.errorcode[error.errno])',
      '    else: print(name, "done")',
      'open("tmp/own", "w").write("x" * 100)',
      'attempt("truncate", os.truncate, "tmp/own", 0)',
      'for flags in (os.O_RDONLY, os.O_ACCMODE):',
      '    attempt(f"open {flags}", os.open, "tmp/own", flags | os.O_TRUNC)',
      'print(os.path.getsize("tmp/own"))',
      'for flags in (os.O_WRONLY, os.O_RDWR):',
      '    attempt(f"open {flags}", os.open, "tmp/own", flags | os.O_TRUNC)',
      'print(os.path.getsize("tmp/own"))',
    ].join('\n');
    const limits = { realtime: 20, cpu: 10, fsize: 1_000_000 };
    const { stdout, stderr } = await coldPython(confinement(2), code, limits, {});
    expect(stderr.toString()).toBe('');
    expect(stdout.toString()).toBe(
      'truncate EACCES\nopen 0 EACCES\nopen 3 EACCES\n100\nopen 1 done\nopen 2 done\n0\n',
    );
  });

  test_('denies reading /etc/passwd, listing / and writing beside tmp', async () => {
    const result = await python(
      [
        'for attempt in (lambda: open("/etc/passwd"), lambda: __import__("os").listdir("/"), lambda: open("new", "w")):',
        '    try:',
        '        attempt(); print("reached")',
        '    except PermissionError: print("denied")',
      ].join('\n'),
    );
    expect(result.stdout.toString()).toBe('denied\ndenied\ndenied\n');
  });

  test_('closes its directory to every group but its own, since jails share /tmp', async () => {
    const result = await python(
      'import os\nown = os.stat(".")\nprint(oct(own.st_mode & 0o7777), own.st_gid == os.getgid())',
    );
    expect(result.stdout.toString()).toBe('0o550 True\n');
  });

  test_('denies ending or tracing the launcher', async () => {
    const result = await python(
      [
        'import os, signal',
        'for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):',
        '    try: os.kill(os.getppid(), number); print("reached")',
        '    except PermissionError: print("denied")',
        'try: open(f"/proc/{os.getppid()}/mem", "r+b"); print("reached")',
        'except OSError: print("denied")',
      ].join('\n'),
    );
    expect(result.stdout.toString()).toBe('denied\n'.repeat(4));
  });

  test_('denies Unix sockets, which would reach those of the host', async () => {
    const result = await python(
      'import socket\ntry: socket.socket(socket.AF_UNIX); print("reached")\nexcept PermissionError: print("denied")',
    );
    expect(result.stdout.toString()).toBe('denied\n');
  });

  test_('denies an end of a pair every address, by a path and in the abstract', async () => {
    const path = join(tmpdir(), `codejail-host-${process.pid}.socket`);
    const host = spawn('/usr/bin/python3', ['-u', '-c', HOST_SERVICE, path]);
    try {
      const lines = createInterface({ input: host.stdout })[Symbol.asyncIterator]();
      const { value: abstract } = (await lines.next()) as { value: string };
      const result = await python(
        [
          'import errno, socket',
          `names = ('\\0${abstract}', ${JSON.stringify(path)}, '\\0codejail-mine', 'tmp/mine')`,
          'def attempt(function, *arguments):',
          '    try: function(*arguments); print("reached")',
          '    except OSError as error: print(errno.errorcode[error.errno])',
          'for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):',
          '    end, other = socket.socketpair(socket.AF_UNIX, kind)',
          '    for name in names:',
          '        for call in (end.connect, end.bind): attempt(call, name)',
          '        attempt(end.sendto, b"from the jail", name)',
          '        attempt(end.sendmsg, [b"from the jail"], [], 0, name)',
          '    end.send(b"x"); print(other.recv(1))',
          'attempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)',
        ].join('\n'),
      );
      host.kill();
      const heard = await lines.next();
      const each = `${'EACCES\n'.repeat(16)}b'x'\n`;
      expect(result.stderr.toString()).toBe('');
      expect(result.stdout.toString()).toBe(`${each}${each}EACCES\n`);
      expect(heard.done).toBe(true);
    } finally {
      host.kill('SIGKILL');
      rmSync(path, { force: true });
    }
  });

  test_('denies what Landlock does not know of: attributes, and owners that stay', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'codejail-host-'));
    const file = join(folder, 'for-all');
    try {
      chmodSync(folder, 0o777);
      writeFileSync(file, 'x');
      chmodSync(file, 0o666);
      execFileSync('/usr/bin/python3', ['-c', SET_ATTRIBUTES, file]);
      const before = statSync(file).ctimeMs;
      const result = await python(
        [
          'import errno, os',
          `file = ${JSON.stringify(file)}`,
          'own = os.open("tmp/own", os.O_RDWR | os.O_CREAT)',
          'def attempt(name, function, *arguments):',
          '    try: print(name, function(*arguments))',
          '    except OSError as error: print(name, errno.errorcode[error.errno])',
          'attempt("read", os.listxattr, file)',
          'attempt("read one", os.getxattr, file, "user.note")',
          'attempt("read a link\'s", lambda: os.listxattr(file, follow_symlinks=False))',
          'attempt("remove", os.removexattr, file, "user.note")',
          'attempt("chown", os.chown, file, -1, -1)',
          'attempt("lchown", os.lchown, file, -1, -1)',
          'attempt("fchown", os.fchown, own, -1, -1)',
          'attempt("open", open, file)',
          'attempt("of its own", os.listxattr, own)',
        ].join('\n'),
      );
      expect(result.stderr.toString()).toBe('');
      expect(result.stdout.toString().trimEnd().split('\n')).toEqual([
        'read ENOTSUP',
        'read one ENOTSUP',
        "read a link's ENOTSUP",
        'remove EACCES',
        'chown EPERM',
        'lchown EPERM',
        'fchown EPERM',
        'open EACCES',
        'of its own []',
      ]);
      expect(statSync(file).ctimeMs).toBe(before);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test_('supports copying with modes and times, and unpacking', async () => {
    const result = await python(
      [
        'import os, shutil, tarfile, zipfile',
        'os.mkdir("tmp/a"); open("tmp/a/x", "w").write("x"); os.chmod("tmp/a/x", 0o600); os.utime("tmp/a/x", (7, 7))',
        'shutil.copytree("tmp/a", "tmp/b")',
        'print(oct(os.stat("tmp/b/x").st_mode), os.stat("tmp/b/x").st_mtime)',
        'with tarfile.open("tmp/t.tar", "w") as tar: tar.add("tmp/a", "c")',
        'with tarfile.open("tmp/t.tar") as tar: tar.extractall("tmp")',
        'print(os.stat("tmp/c/x").st_mtime)',
        'with zipfile.ZipFile("tmp/z.zip", "w") as archive: archive.writestr("d/x", "x")',
        'with zipfile.ZipFile("tmp/z.zip") as archive: archive.extractall("tmp")',
        'print(open("tmp/d/x").read())',
      ].join('\n'),
    );
    expect(result.stderr.toString()).toBe('');
    expect(result.stdout.toString()).toBe('0o100600 7.0\n7.0\nx\n');
  });

  test_('weighs less than its server, in a session that weighs less', async () => {
    let uid = 0;
    const result = await python(
      'import os, sys\nos.setsid()\nprint(os.getuid(), flush=True)\nsys.stdin.read()',
      {
        onStdout: (chunk) => {
          uid ||= uidIn(chunk.toString());
        },
        stdin: (async function* () {
          while (uid === 0) await sleep(5);
          const all = processesOf(uid);
          expect(all).not.toEqual([]);
          for (const process_ of all) {
            expect(nice(process_)).toBeGreaterThanOrEqual(5);
            expect(autogroup(process_)).toMatch(/^$| nice 10$/);
          }
          yield '';
        })(),
      },
    );
    expect(result.status).toBe(0);
  });

  test_('ends what was forked into a process group of its own', async () => {
    const result = await python(`${GROUPS}\nprint(os.getuid()); sys.stdout.flush()`);
    expect(processesOf(uidIn(result.stdout.toString()))).toEqual([]);
  });

  test_('ends all of it when the call is aborted', async () => {
    const abort = new AbortController();
    let uid = 0;
    await expect(
      python(`${GROUPS}\nprint(os.getuid()); sys.stdout.flush(); time.sleep(600)`, {
        signals: [abort.signal],
        onStdout: (chunk) => {
          uid = uidIn(chunk.toString());
          abort.abort(new Error('given up'));
        },
      }),
    ).rejects.toThrow('given up');
    expect(processesOf(uid)).toEqual([]);
  });

  test_(
    'ends all of it when the launcher is killed from outside, and lends the uid again',
    async () => {
      let uid = 0;
      await expect(
        python(`${GROUPS}\nprint(os.getuid()); sys.stdout.flush(); time.sleep(600)`, {
          onStdout: (chunk) => {
            uid = uidIn(chunk.toString());
            const launcher = processesOf(uid).find(
              (number) => readFileSync(`/proc/${number}/comm`, 'utf8').trim() === 'codejail-launch',
            );
            process.kill(Number(launcher), 'SIGKILL');
          },
        }),
      ).rejects.toMatchObject({ code: 'ERR_CODEJAIL_SETUP', step: 'supervise' });
      expect(processesOf(uid)).toEqual([]);
      expect(native().addon.uidIsFree(leaseDirectory(), uid)).toBe(true);
    },
  );

  test_(
    'ends what a killed server and launcher left before its uid has a program again',
    async () => {
      // Of this test alone, also where it runs twice at a time on this host.
      const uid = 1_970_000_000 + 2 * process.pid;
      const plan = { ...confinement(), uidPool: { first: uid, count: 1 } };
      const { orphan, directory } = await abandonedOrphan(plan);
      try {
        while (!native().addon.uidIsFree(leaseDirectory(), uid)) {
          await sleep(10);
        }
        expect(processesOf(uid)).toContain(orphan);
        let met: string[] | undefined;
        const { stdout } = await coldPython(
          plan,
          'import os, time\nprint(os.getuid(), flush=True)\ntime.sleep(1)',
          { realtime: 20, cpu: 10 },
          {
            onStdout: () => {
              met = processesOf(uid);
            },
          },
        );
        expect(Number(stdout)).toBe(uid);
        expect(met?.length).toBeGreaterThan(0);
        expect(met).not.toContain(orphan);
      } finally {
        if (processesOf(uid).includes(orphan)) {
          process.kill(Number(orphan), 'SIGKILL');
        }
        await removeHostDirectory(directory);
      }
    },
  );

  test_('counts tasks for this jail alone', async () => {
    const fork = [
      'import os, time',
      'made = 0',
      'try:',
      '    while True:',
      '        if os.fork() == 0: time.sleep(600)',
      '        made += 1',
      'except BlockingIOError: print(made)',
    ].join('\n');
    const results = await Promise.all([python(fork), python(fork), python(fork)]);
    expect(results.map(({ stdout }) => stdout.toString())).toEqual(['14\n', '14\n', '14\n']);
  });
});
