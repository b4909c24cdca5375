// Attacks that take more than one call of the kernel, from Python.
import { createServer } from 'node:net';
import type { Jail, JailCodeOptions } from '../../lib/index';
import type { JailResult } from '../../lib/result';
import { watchLeftovers } from '../support/leftovers';
import { createJail } from '../support/jail';

let jail: Jail;

beforeEach(() => {
  jail = createJail({ limits: { realtime: 15, cpu: 10 } });
});

afterEach(async () => {
  await jail.close();
});

// Last, so that it looks when the suite itself has tidied up.
watchLeftovers();

async function run(code: string, options: JailCodeOptions = {}): Promise<JailResult> {
  return jail.jailCode('python', { code, ...options });
}

async function printed(code: string, options: JailCodeOptions = {}): Promise<string> {
  const { stdout, stderr } = await run(code, options);
  expect(stderr.toString()).toBe('');
  return stdout.toString();
}

describe('processes', () => {
  it('denies outliving the call by setsid, a double fork and closed streams', async () => {
    const code = [
      'import os, signal, time',
      'signal.signal(signal.SIGHUP, signal.SIG_IGN)',
      'if os.fork() == 0:',
      '    os.setsid()',
      '    if os.fork() == 0:',
      '        for fd in range(64):',
      '            try: os.close(fd)',
      '            except OSError: pass',
      '        time.sleep(600)',
      '    os._exit(0)',
      'print("left")',
    ].join('\n');
    expect(await printed(code)).toBe('left\n');
  });

  it('denies ending the launcher, and the server, by signals to everyone', async () => {
    const code = [
      'import os, signal',
      // The parent of a warm program is in no namespace of its own: it has no number there.
      'for target in {1, os.getppid()} - {0}:',
      '    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGCHLD):',
      '        try: os.kill(target, number)',
      '        except PermissionError: pass',
      'print("still here")',
      'try: os.kill(-1, signal.SIGKILL)',
      'except ProcessLookupError: print("nobody else to signal")',
    ].join('\n');
    expect(await printed(code)).toBe('still here\nnobody else to signal\n');
  });

  it('denies stopping itself to escape its time', async () => {
    const { outcome } = await run('import os, signal; os.kill(0, signal.SIGSTOP)', {
      limits: { realtime: 0.5 },
    });
    expect(outcome).toBe('time-limit');
  });

  it.each(['/usr/bin/env', '/bin/sh', '/proc/self/exe', 'tmp/made', '/lib64/ld-linux-x86-64.so.2'])(
    'denies executing %s',
    async (path) => {
      const code = [
        'import os, sys',
        'if sys.argv[1].startswith("tmp/"):',
        '    open(sys.argv[1], "w").write("#!/bin/sh\\n"); os.chmod(sys.argv[1], 0o755)',
        'try: os.execv(sys.argv[1], [sys.argv[1]])',
        'except PermissionError: print("denied")',
      ].join('\n');
      expect(await printed(code, { argv: [path], limits: { fsize: 1000 } })).toBe('denied\n');
    },
  );

  it('keeps two jails at once from seeing each other', async () => {
    const code = [
      'import os, socket, time',
      'listener = socket.socket(socket.AF_UNIX); listener.bind("\\0codejail-test"); listener.listen()',
      'time.sleep(0.5)',
      'print(sorted(int(p) for p in os.listdir("/proc") if p.isdigit()), os.listdir("tmp"))',
    ].join('\n');
    // Both can bind the same abstract name: it is not the same name.
    const both = await Promise.all([printed(code), printed(code)]);
    // Each sees the init of its namespace and itself.
    for (const seen of both) {
      expect(seen).toMatch(/^\[1, \d+\] \[\]\n$/);
    }
  });
});

describe('network', () => {
  it('denies a server on the loopback', async () => {
    let reached = false;
    const server = createServer(() => {
      reached = true;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const code = `import socket\ntry: socket.create_connection(("127.0.0.1", ${port}))\nexcept PermissionError: print("denied")`;
      expect(await printed(code)).toBe('denied\n');
      expect(reached).toBe(false);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('denies an abstract Unix socket of the host', async () => {
    const name = `codejail-host-${process.pid}`;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
    try {
      const code = `import socket\ns = socket.socket(socket.AF_UNIX)\ntry: s.connect("\\0${name}")\nexcept OSError as e: print(type(e).__name__)`;
      expect(await printed(code)).toMatch(/ConnectionRefusedError|PermissionError/);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('allows Unix sockets in its own tmp', async () => {
    const code = [
      'import os, socket',
      'server = socket.socket(socket.AF_UNIX); server.bind("tmp/s"); server.listen()',
      'client = socket.socket(socket.AF_UNIX); client.connect("tmp/s"); client.send(b"hello")',
      'print(server.accept()[0].recv(5))',
    ].join('\n');
    expect(await printed(code)).toBe("b'hello'\n");
  });
});

describe('memory', () => {
  it('denies more than its limit to many processes together, each below it', async () => {
    const code = [
      'import os, time',
      'for _ in range(6):',
      '    if os.fork() == 0: break',
      'hog = bytearray(os.urandom(1)) * 30_000_000',
      'time.sleep(10)',
    ].join('\n');
    const { outcome, exceeded } = await run(code, { limits: { memory: 100_000_000 } });
    expect(outcome).toBe('memory-limit');
    expect(exceeded).toMatchObject({ limit: 'memory', allowed: 100_000_000 });
    expect(exceeded?.measured).toBeGreaterThan(100_000_000);
  });

  it('denies memory that is shared, named or mapped past the sums', async () => {
    const code = [
      'import mmap, os, ctypes',
      'for attempt in (lambda: mmap.mmap(-1, 4096), lambda: os.memfd_create("x"), lambda: open("/dev/zero", "r+b")):',
      '    try: attempt(); print("got it")',
      '    except OSError: print("denied")',
    ].join('\n');
    expect(await printed(code)).toBe('denied\ndenied\ndenied\n');
  });
});

describe('cpu', () => {
  it('denies more than its limit to many processes together', async () => {
    const code = ['import os', 'for _ in range(3): os.fork()', 'while True: pass'].join('\n');
    const { outcome, exceeded } = await run(code, { limits: { cpu: 0.5 } });
    expect(outcome).toBe('cpu-limit');
    expect(exceeded).toMatchObject({ limit: 'cpu', allowed: 0.5 });
  });

  it('denies ignoring SIGXCPU', async () => {
    const code = 'import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass';
    const { outcome, status } = await run(code, { limits: { cpu: 1 } });
    expect([outcome, status]).toEqual(['cpu-limit', -9]);
  });

  it('counts children that nobody waits for', async () => {
    const code = [
      'import os, signal, time',
      'signal.signal(signal.SIGCHLD, signal.SIG_IGN)',
      'while True:',
      '    if os.fork() == 0:',
      '        end = time.process_time() + 0.2',
      '        while time.process_time() < end: pass',
      '        os._exit(0)',
      '    time.sleep(0.15)',
    ].join('\n');
    const { outcome } = await run(code, { limits: { cpu: 1, realtime: 14 } });
    expect(outcome).toBe('cpu-limit');
  });
});

describe('tasks', () => {
  it('ends a fork bomb and leaves other jails alone', async () => {
    const [bomb, other] = await Promise.all([
      run('import os\nwhile True:\n  try: os.fork()\n  except OSError: pass', {
        limits: { realtime: 2, cpu: 1 },
      }),
      run('import os\nfor _ in range(10):\n  if os.fork() == 0: os._exit(0)\nprint("forked")'),
    ]);
    expect(['cpu-limit', 'time-limit']).toContain(bomb.outcome);
    expect(other.stdout.toString()).toBe('forked\n');
  });

  it('counts threads too', async () => {
    const code = [
      'import threading, time',
      'made = 0',
      'try:',
      '    for _ in range(50):',
      '        threading.Thread(target=time.sleep, args=(1,), daemon=True).start(); made += 1',
      'except RuntimeError: pass',
      'print(made)',
    ].join('\n');
    expect(await printed(code, { limits: { nproc: 8 } })).toBe('7\n');
  });
});

describe('output', () => {
  it.each(['stdout', 'stderr'])('denies flooding %s', async (stream) => {
    const result = await run(
      `import os\nwhile True: os.write(${stream === 'stdout' ? 1 : 2}, b"x" * 65536)`,
      { limits: { output: 1_000_000 } },
    );
    expect(result.outcome).toBe('output-limit');
    expect(result[stream as 'stdout' | 'stderr']).toHaveLength(1_000_000);
    expect(result.exceeded).toMatchObject({ limit: 'output', allowed: 1_000_000 });
  });

  it('denies flooding the result channel', async () => {
    const flood = jail.safeExec(
      'import os\nwhile True: os.write(4, b"[" * 65536)',
      {},
      {
        limits: { output: 1_000_000 },
      },
    );
    await expect(flood).rejects.toMatchObject({ result: { outcome: 'output-limit' } });
  });

  it.each([
    ['nested deeply', 'b"G" + b\'{"a":\' + b"[" * 200000 + b"]" * 200000 + b"}"'],
    ['an endless integer', 'b"G" + b\'{"a":\' + b"9" * 1000000 + b"}"'],
    ['cut off', 'b\'G{"a":\''],
    ['not UTF-8', 'b"G\\xff\\xff"'],
    ['an array', 'b"G[1]"'],
  ])('rejects a forged result that is %s', async (_what, bytes) => {
    const code = `import os\ndata = ${bytes}\nwhile data: data = data[os.write(4, data):]\nos._exit(0)`;
    await expect(jail.safeExec(code, {})).rejects.toMatchObject({ code: 'ERR_CODEJAIL_EXEC' });
  });
});

describe('collect', () => {
  it('brings back regular files only, whatever else lies there', async () => {
    const code = [
      'import os',
      'os.symlink("/etc/passwd", "tmp/link"); os.symlink("..", "tmp/up"); os.mkfifo("tmp/fifo")',
      'os.makedirs("tmp/a/b"); open("tmp/a/b/c.txt", "w").write("deep")',
      'open("tmp/new\\nline", "w").write("odd")',
      'os.mkdir("tmp/link-dir-target"); os.symlink("a", "tmp/dirlink")',
    ].join('\n');
    const { collected } = await run(code, { collect: ['**'], limits: { fsize: 1000 } });
    expect(collected.map(({ path, content }) => [path, content.toString()])).toEqual([
      ['a/b/c.txt', 'deep'],
      ['new\nline', 'odd'],
    ]);
  });

  it('denies a sparse giant', async () => {
    const code = 'f = open("tmp/big", "wb"); f.truncate(10**9)';
    const { outcome, collected } = await run(code, {
      collect: ['big'],
      limits: { fsize: 2 * 10 ** 9, output: 1_000_000 },
    });
    expect(outcome).toBe('output-limit');
    expect(collected).toEqual([]);
  });
});
