// Nothing of one call is visible to the next, and no cell harms another, its template or the server.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutOmitted } from '../../lib/exec/omitted';
import { native } from '../../lib/native/addon';
import type { Cell } from '../../lib/warm/cell';
import { startTemplate } from '../../lib/warm/start';
import type { Template, TemplateOptions } from '../../lib/warm/template';
import { withModule } from '../support/modules';
import { isOurs, statusField } from '../support/processes';
import { FLAGS } from '../support/system-calls';
import { execIn, LIMITS, printed, scriptIn, startPython, templateOptions } from '../support/warm';

let template: Template;

beforeAll(async () => {
  template = await startPython(['random', 'json']);
});
afterAll(async () => {
  await template.close();
});

async function globalsOf(code: string): Promise<unknown> {
  const { channel } = await execIn(await template.makeCell(LIMITS), code);
  return JSON.parse(withoutOmitted(channel).subarray(1).toString());
}

/** Has a template preload a module of this source. */
async function preloading(
  source: string,
  use: (options: TemplateOptions) => Promise<void>,
): Promise<void> {
  await withModule('own_module.py', source, async (folder) => {
    await use({ ...(await templateOptions(['own_module'])), pythonPath: [folder] });
  });
}

describe('a cell whose call was announced', () => {
  const LOOK = `
import os, sys
seen = [sys.path, sys.argv, sorted(sys.modules), sorted(os.environ.items()), sorted(globals())]
seen += [sorted(os.listdir('/proc/self/fd')), sorted(os.listdir('.')), os.listdir('tmp')]
seen = ascii(seen)
print(seen)
`;

  /** What a program finds in a new cell that is treated so before its call. */
  async function found(prepare: (cell: Cell) => void, run: typeof execIn): Promise<string> {
    const cell = await template.makeCell(LIMITS);
    prepare(cell);
    // As long as it looks out for its call, and longer.
    await sleep(20);
    const { result } = await run(cell, LOOK);
    expect(result).toMatchObject({ status: 0, outcome: 'exited' });
    return result.stdout.toString();
  }

  it.each([
    ['safeExec', execIn],
    ['jailCode', scriptIn],
  ])('is for a program of %s as any other', async (_name, run) => {
    const seen = await found(() => undefined, run);
    expect(seen).toContain('jailed_code');
    expect(
      await found((cell) => {
        cell.announce();
      }, run),
    ).toBe(seen);
    const announceTwice = (cell: Cell): void => {
      cell.announce();
      cell.announce();
    };
    expect(await found(announceTwice, run)).toBe(seen);
  });

  it.each([
    ['a short one', '1'],
    ['one that does not fit into the pipe', `len(${JSON.stringify('x'.repeat(100_000))})`],
  ])('is given it at once, %s', async (_name, expression) => {
    const cell = await template.makeCell(LIMITS);
    cell.announce();
    const { channel } = await execIn(cell, `a = ${expression} > 0`);
    expect(channel.toString()).toBe('G{"a":true}');
  });

  it('may be one that was made in a hurry', async () => {
    const cell = await template.makeCell(LIMITS, true);
    cell.announce();
    const { channel } = await execIn(cell, 'a = 17');
    expect(channel.toString()).toBe('G{"a":17}');
  });

  it('wakes up, and has told where', async () => {
    const before = new Set(readdirSync('/proc'));
    const cell = await template.makeCell(LIMITS);
    expect(cell.processor).toBeGreaterThanOrEqual(0);
    const made = readdirSync('/proc').filter((name) => !before.has(name) && isOurs(name));
    const wakes = (): number =>
      made.reduce(
        (total, name) => total + Number(statusField(name, 'voluntary_ctxt_switches') ?? 0),
        0,
      );
    await sleep(50);
    const asleep = wakes();
    await sleep(50);
    expect(wakes()).toBe(asleep);
    cell.announce();
    await sleep(50);
    expect(wakes()).toBeGreaterThan(asleep);
    await cell.discard();
  });

  it('ends when there is none after all', async () => {
    const cell = await template.makeCell(LIMITS);
    cell.announce();
    await cell.discard();
  });

  it('is not told of it once it runs one: the number of its pipe may be another one’s', async () => {
    const announceCall = jest.spyOn(native().addon, 'announceCall');
    try {
      const cell = await template.makeCell(LIMITS);
      const running = execIn(cell, 'a = 17');
      cell.announce();
      await running;
      cell.announce();
      expect(announceCall).not.toHaveBeenCalled();
    } finally {
      announceCall.mockRestore();
    }
  });
});

describe('a cell shows nothing of the call before', () => {
  it.each([
    ['globals', 'import builtins\nleft = hasattr(builtins, "mark")\nbuiltins.mark = 1'],
    ['modules', 'import json\nleft = hasattr(json, "mark")\njson.mark = 1'],
    ['environment', 'import os\nleft = "MARK" in os.environ\nos.environ["MARK"] = "1"'],
    ['files', 'import os\nleft = os.listdir("tmp") != []\nos.mkdir("tmp/mark")'],
    [
      'names of sockets',
      `
import socket
named = socket.socket(socket.AF_UNIX)
left = False
try:
    named.bind(chr(0) + 'mark')
except OSError:
    left = True
`,
    ],
    [
      "interpreter's constants",
      `
import ctypes
text = ctypes.pythonapi.Py_GetCopyright
text.restype = ctypes.c_void_p
left = ctypes.string_at(text(), 1) == b"X"
mprotect = ctypes.CDLL(None, use_errno=True).mprotect
failed = mprotect(ctypes.c_void_p(text() & ~4095), ctypes.c_size_t(4096), 3)
ctypes.memset(text(), ord("X"), 1)
left = left or failed != 0 or ctypes.string_at(text(), 1) != b"X"
`,
    ],
  ])('in its %s', async (_name, code) => {
    expect(await globalsOf(code)).toMatchObject({ left: false });
    expect(await globalsOf(code)).toMatchObject({ left: false });
  });

  it('has a network namespace to itself, which may have been that of a dead one', async () => {
    const code = `print(__import__('os').readlink('/proc/self/ns/net'))`;
    const cells = await Promise.all([1, 2].map(async () => template.makeCell(LIMITS)));
    const seen: string[] = [];
    for (const cell of cells) {
      seen.push((await scriptIn(cell, code)).result.stdout.toString().trim());
    }
    expect(seen[0]).toMatch(/^net:/);
    expect(seen[1]).not.toBe(seen[0]);
    expect(seen).toContain(await printed(template, code));
  });

  it('has random numbers of its own', async () => {
    const code = 'import random\na = [random.random(), random.Random().random()]';
    expect(await globalsOf(code)).not.toEqual(await globalsOf(code));
  });

  it('has random numbers of OpenSSL’s of its own, where the template has drawn some', async () => {
    await preloading('import ssl; ssl.RAND_bytes(8)', async (options) => {
      const drawing = await startTemplate(options);
      try {
        const code = 'import ssl; print(ssl.RAND_bytes(16).hex())';
        const numbers = [await printed(drawing, code), await printed(drawing, code)];
        expect(numbers[0]).toMatch(/^[0-9a-f]{32}$/);
        expect(numbers[1]).not.toBe(numbers[0]);
      } finally {
        await drawing.close();
      }
    });
  });

  it('has random numbers of numpy’s of its own, where the Python has it', async () => {
    const withNumpy = await startPython(['numpy.random']).catch((error: unknown) => {
      console.warn(`Not shown, since numpy can not be preloaded: ${(error as Error).message}`);
    });
    if (withNumpy === undefined) {
      return;
    }
    try {
      const code =
        'from numpy import random; print(random.rand(), random.default_rng().random(), random.mtrand._rand.rand())';
      const numbers = [await printed(withNumpy, code), await printed(withNumpy, code)].flatMap(
        (text) => text.split(' '),
      );
      expect(numbers).toHaveLength(6);
      expect(new Set(numbers).size).toBe(6);
    } finally {
      await withNumpy.close();
    }
  });

  it('has nothing of its template’s environment', async () => {
    expect(await printed(template, 'import os; print("LD_BIND_NOW" in os.environ)')).toBe('False');
  });

  it('holds no descriptor but its own', async () => {
    expect(await printed(template, 'import os; print(sorted(os.listdir("/proc/self/fd")))')).toBe(
      "['0', '1', '2', '3']",
    );
  });
});

describe('a cell is alone', () => {
  it('sees its supervisor and itself', async () => {
    const code =
      'import os\nprint(sorted(p for p in os.listdir("/proc") if p.isdigit()), os.getppid())';
    const waiting = await template.makeCell(LIMITS);
    expect(await printed(template, code)).toBe("['1', '3'] 1");
    await waiting.discard();
  });

  it('has no capability, in no set, and a filter', async () => {
    const text = await printed(template, 'print(open("/proc/self/status").read())');
    expect(text).toMatch(/CapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+\nCapAmb:\t0+\n/);
    expect(text).toMatch(/NoNewPrivs:\t1\nSeccomp:\t2\n/);
  });

  it('can not execute a program', async () => {
    const code =
      'import os, sys\ntry: os.execv(sys.executable, ["x"])\nexcept OSError as e: print(e.errno)';
    expect(await printed(template, code)).toBe('13');
  });

  it('can not join a namespace or make one', async () => {
    const code =
      'import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n' +
      `print(libc.unshare(${FLAGS.CLONE_NEWUSER}), libc.setns(0, 0))`;
    expect(await printed(template, code)).toBe('-1 -1');
  });

  it('can not reach its supervisor', async () => {
    const code =
      'import os\nfor p in ("mem", "environ", "root/etc", "fd/0", "ns/mnt"):\n' +
      '  try: os.stat("/proc/1/" + p) and open("/proc/1/" + p); print(p)\n  except OSError: pass';
    expect(await printed(template, code)).toBe('');
  });

  it('can not reach an abstract socket of another', async () => {
    const listener = await template.makeCell(LIMITS);
    const listening = scriptIn(
      listener,
      'import socket, time\ns = socket.socket(socket.AF_UNIX)\ns.bind("\\0mark")\ns.listen()\nprint("up", flush=True)\ntime.sleep(1.5)',
    );
    await sleep(700);
    const code =
      'import socket\ntry: socket.socket(socket.AF_UNIX).connect("\\0mark"); print("in")\nexcept OSError as e: print("refused")';
    expect(await printed(template, code)).toBe('refused');
    expect((await listening).result.stdout.toString()).toBe('up\n');
  });
});

describe('a hostile cell harms no other', () => {
  it.each([
    ['crashes', 'import ctypes; ctypes.string_at(1)'],
    ['aborts', 'import os; os.abort()'],
    ['forks without end', 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass'],
    ['fills memory', 'x = []\nwhile True: x.append(bytearray(1 << 20))'],
    ['stops itself', 'import os, signal; os.kill(os.getpid(), signal.SIGSTOP)'],
    ['signals all it can', 'import os\nos.kill(-1, 9)'],
  ])('that %s', async (_name, code) => {
    const waiting = await template.makeCell(LIMITS);
    const hostile = scriptIn(await template.makeCell(LIMITS), code, {
      limits: { ...LIMITS, realtime: 1, cpu: 1, memory: 64 << 20 },
    });
    await hostile;
    const { result } = await scriptIn(waiting, 'print("fine")');
    expect(result.stdout.toString()).toBe('fine\n');
    expect(await printed(template, 'print("too")')).toBe('too');
  });

  it('that would change what all of them see', async () => {
    const code = [
      'import os',
      "for path in ('/', '/dev', '/etc', '/usr', '/dev/null', '/dev/urandom'):",
      '    for change in (',
      '        lambda: os.chmod(path, 0), lambda: os.utime(path, ns=(5, 7)), lambda: os.chown(path, os.getuid(), -1),',
      '        lambda: os.setxattr(path, "user.mark", b"1")):',
      '        try: change(); print(path, "changed")',
      '        except OSError: pass',
      'print(oct(os.stat("/").st_mode), os.stat("/").st_mtime_ns > 7)',
    ].join('\n');
    expect(await printed(template, code)).toBe('0o40111 True');
    expect(await printed(template, 'import os; print(oct(os.stat("/").st_mode))')).toBe('0o40111');
  });

  it('that has as many signals pending as it may', async () => {
    // Each timer keeps room for its own (timer_create(2)), which counts for the user.
    const timers = [
      'import ctypes',
      'create = ctypes.CDLL(None).timer_create',
      'timer, count = ctypes.c_void_p(), 0',
      'while count < 300 and create(1, None, ctypes.byref(timer)) == 0: count += 1',
      'print(count, flush=True)',
    ].join('\n');
    const cells = await Promise.all([1, 2, 3].map(async () => template.makeCell(LIMITS)));
    const hostile = cells.map(async (cell) =>
      scriptIn(cell, `${timers}\nimport time; time.sleep(2)`),
    );
    await sleep(1000);
    expect(await printed(template, timers)).toBe('256');
    for (const { result } of await Promise.all(hostile)) {
      expect(result.stdout.toString()).toBe('256\n');
    }
  });

  it('that would have descriptors on the way, which count for the user (unix(7), ETOOMANYREFS)', async () => {
    const code = [
      'import socket',
      'one, other = socket.socketpair()',
      'for message in [], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, bytes(4))]:',
      "    try: one.sendmsg([b'x'], message)",
      '    except OSError as error: print(error.errno)',
    ].join('\n');
    expect(await printed(template, code)).toBe('13\n13');
  });

  it('ends by memory-limit over several processes', async () => {
    const { result } = await scriptIn(
      await template.makeCell(LIMITS),
      'import os, time\nos.fork()\nx = bytearray(48 << 20)\ntime.sleep(9)',
      { limits: { ...LIMITS, memory: 64 << 20 } },
    );
    expect(result.outcome).toBe('memory-limit');
  });

  it('ends by cpu-limit over several processes', async () => {
    const { result } = await scriptIn(
      await template.makeCell(LIMITS),
      'import os\nos.fork()\nwhile True: pass',
      { limits: { ...LIMITS, cpu: 1, realtime: 30 } },
    );
    expect(result.outcome).toBe('cpu-limit');
  });
});

describe('the end', () => {
  it('of an aborted call is the end of its cell', async () => {
    const cell = await template.makeCell(LIMITS);
    const controller = new AbortController();
    const running = scriptIn(cell, 'import time; time.sleep(9)', { signals: [controller.signal] });
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 100);
    await expect(running).rejects.toThrow('enough');
    await cell.dead;
  });

  it('of the making of a cell is told at once', async () => {
    const module = [
      'import os, threading, time',
      'def start(): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()',
      'os.register_at_fork(after_in_parent=start)',
    ];
    await preloading(module.join('\n'), async (options) => {
      const beganAt = performance.now();
      await expect(startTemplate(options)).rejects.toThrow('the template has a second thread');
      // Not when a cell would have been given up.
      expect(performance.now() - beganAt).toBeLessThan(15_000);
    });
  });

  it('of a template, killed, takes none of its cells along', async () => {
    const others = pythons(2);
    const other = await startPython();
    const waiting = await other.makeCell(LIMITS);
    const running = scriptIn(await other.makeCell(LIMITS), 'import time; time.sleep(1); print(1)');
    const [killed] = pythons(2).filter((process) => !others.includes(process));
    process.kill(Number(killed), 'SIGKILL');
    await sleep(200);
    await expect(other.makeCell(LIMITS)).rejects.toThrow('the template has ended');
    const { result } = await scriptIn(waiting, 'print(2)');
    expect(result.stdout.toString()).toBe('2\n');
    expect((await running).result.stdout.toString()).toBe('1\n');
    await other.close();
    await other.ended;
  });

  it('of the server is the end of all, by SIGKILL too', async () => {
    const child = spawn(
      process.execPath,
      [
        '--require',
        require.resolve('../support/load-typescript.js'),
        '--eval',
        `const { startPython, LIMITS } = require(${JSON.stringify(require.resolve('../support/warm'))});
         startPython().then(async (template) => { await template.makeCell(LIMITS); console.log('up'); setInterval(() => 0, 1000); });`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const before = pythons().length;
    child.kill('SIGKILL');
    for (let i = 0; i < 100 && pythons().length >= before; i += 1) {
      await sleep(50);
    }
    expect(pythons().length).toBeLessThan(before);
  });
});

// The processes of templates and cells; a template has two numbers, this namespace's
// and its own, and a cell has three.
function pythons(namespaces?: number): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      const numbers = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${entry}/status`, 'latin1'))?.[1];
      return (
        readFileSync(`/proc/${entry}/cmdline`, 'latin1').includes('template.py') &&
        (namespaces === undefined || numbers?.trim().split('\t').length === namespaces)
      );
    } catch {
      return false;
    }
  });
}
