// The keeper shares its cell's memory, which a hostile program can write to, and is outside of the cell.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { arch } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTemplate } from '../../lib/warm/start';
import type { Template } from '../../lib/warm/template';
import { expectToGoWithItsCell, makeKeptCell, type Kept } from '../support/keepers';
import { gone, isOurs, statusField } from '../support/processes';
import { CALLS, FLAGS } from '../support/system-calls';
import { LIMITS, printed, scriptIn, templateOptions, useTemplate } from '../support/warm';

const python = useTemplate();

/** Pythons in a PID namespace of a template of this process's that a Python there has forked. */
function keepers(): string[] {
  const isPython = (name: string): boolean =>
    statusField(name, 'Name')?.startsWith('python') === true;
  return readdirSync('/proc').filter((name) => {
    const depth = statusField(name, 'NSpid')?.split('\t').length;
    const parent = statusField(name, 'PPid') ?? '';
    return (
      isPython(name) &&
      isPython(parent) &&
      statusField(parent, 'NSpid')?.split('\t').length === depth &&
      isOurs(name)
    );
  });
}

/** Makes a cell, and tells which keeper is its. */
async function makeKept(of = python.template): Promise<Kept> {
  return makeKeptCell(of, keepers);
}

it('holds nothing but what it waits in and what it frees, no capability, and is in none of the cell’s namespaces', async () => {
  const { cell, keeper } = await makeKept();
  const inCell = `import os
print([os.readlink("/proc/self/ns/" + name) for name in ("user", "mnt", "pid", "net")])`;
  expect(
    readdirSync(`/proc/${keeper}/fd`).map((fd) => readlinkSync(`/proc/${keeper}/fd/${fd}`)),
  ).toEqual([
    expect.stringMatching(/^pipe:/),
    expect.stringMatching(/^mnt:/),
    'anon_inode:[eventfd]',
  ]);
  expect(statusField(keeper, 'CapPrm')).toMatch(/^0+$/);
  expect(Number(statusField(keeper, 'Seccomp'))).toBeGreaterThan(0);
  const own = ['user', 'mnt', 'pid', 'net'].map((name) =>
    readlinkSync(`/proc/${keeper}/ns/${name}`),
  );
  const { result } = await scriptIn(cell, inCell);
  for (const namespace of own) {
    expect(result.stdout.toString()).not.toContain(namespace);
  }
});

it('is killed when its cell is dead, whether that served a call or not', async () => {
  await expectToGoWithItsCell(makeKept);
});

it('is there for each cell of many that are made at once, and for none afterwards', async () => {
  const before = new Set(keepers());
  const cells = await Promise.all(
    Array.from({ length: 16 }, async () => python.template.makeCell(LIMITS)),
  );
  const added = keepers().filter((name) => !before.has(name));
  expect(added).toHaveLength(cells.length);
  await Promise.all(cells.map(async (cell) => cell.discard()));
  expect(await Promise.all(added.map(gone))).toEqual(added.map(() => true));
});

it('takes no cell along when it is killed', async () => {
  const { cell, keeper } = await makeKept();
  process.kill(Number(keeper), 'SIGKILL');
  expect(await gone(keeper)).toBe(true);
  expect((await scriptIn(cell, 'print(17)')).result.stdout.toString()).toBe('17\n');
});

/** A template that is under a filter, which refuses one prctl; -1 is none. */
async function startFiltered(
  refused: number,
): Promise<{ filtered: Template; end: () => Promise<void> }> {
  const path = mkdtempSync('/var/tmp/codejail-filter-');
  chmodSync(path, 0o755);
  writeFileSync(
    join(path, 'filtered.py'),
    `import ctypes, errno, struct
BPF_LOAD, BPF_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16  # in struct seccomp_data
RET_ERRNO, RET_ALLOW = 0x50000, 0x7fff0000
code = b"".join(struct.pack("HBBI", *line) for line in [
    (BPF_LOAD, 0, 0, NUMBER), (BPF_EQUAL, 0, 3, ${CALLS.prctl}), (BPF_LOAD, 0, 0, FIRST_ARGUMENT),
    (BPF_EQUAL, 0, 1, ${refused >>> 0}), (BPF_RETURN, 0, 0, RET_ERRNO | errno.EINVAL), (BPF_RETURN, 0, 0, RET_ALLOW)])
lines = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(lines)))
if ctypes.CDLL(None).prctl(${FLAGS.PR_SET_SECCOMP}, ${FLAGS.SECCOMP_MODE_FILTER}, program, 0, 0) != 0: raise OSError("no filter")
`,
  );
  const filtered = await startTemplate({
    ...(await templateOptions(['filtered'])),
    pythonPath: [path],
  });
  return {
    filtered,
    end: async () => {
      await filtered.close();
      rmSync(path, { recursive: true });
    },
  };
}

// What a program writes where its keeper would go on: a system call, and a jump to itself.
const GETPID = '\\xb8\\x27\\0\\0\\0\\x0f\\x05\\xeb\\xfe';
const GETPID_OF_I386 = '\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xeb\\xfe';

async function showsKilled(of: Template, instructions: string): Promise<void> {
  if (arch !== 'x64') {
    console.warn('Not shown: the instructions are those of x64.');
    return;
  }
  const { cell, keeper } = await makeKept(of);
  const waiting = readFileSync(`/proc/${keeper}/syscall`, 'latin1').trim().split(' ');
  // Where the kernel can seal memory (since Linux 6.10), nobody can change the page that it waits in.
  const isSealed = readFileSync(`/proc/${keeper}/maps`, 'latin1').includes('codejail-wait');
  // The system call is begun again after a stop (signal(7)), by the instruction before.
  const next = Number(waiting.at(-1)) - 2;
  const code = `import ctypes, os, time
mprotect = ctypes.CDLL(None, use_errno=True).mprotect
if mprotect(ctypes.c_void_p(${next} & ~4095), ctypes.c_size_t(${isSealed ? 4096 : 8192}), 7):
    print("refused", flush=True)
    time.sleep(2)
    os._exit(0)
ctypes.memmove(${next}, b"${instructions}", 9)
print("overwritten", flush=True)
time.sleep(2)
print("lives", flush=True)
os._exit(0)`;
  let lookedFor: Promise<boolean> | undefined;
  const told = isSealed ? 'refused' : 'overwritten';
  const { result } = await scriptIn(cell, code, {
    onStdout: (chunk) => {
      if (lookedFor === undefined && chunk.toString().includes(told)) {
        process.kill(Number(keeper), 'SIGSTOP');
        process.kill(Number(keeper), 'SIGCONT');
        lookedFor = sleep(1000).then(() => statusField(keeper, 'Name') === undefined);
      }
    },
  });
  expect(result.stdout.toString()).toBe(isSealed ? 'refused\n' : 'overwritten\nlives\n');
  // Where nothing could be overwritten, it waits again.
  expect(await lookedFor).toBe(!isSealed);
  expect(await printed(of, 'print(17)')).toBe('17');
}

describe('goes on in memory that no program can overwrite, or is killed there', () => {
  it.each([
    ['a system call', GETPID],
    ['one of another architecture', GETPID_OF_I386],
  ])('with %s', async (_name, instructions) => {
    await showsKilled(python.template, instructions);
  });

  it.each([
    ['a system call', GETPID],
    ['one of another architecture', GETPID_OF_I386],
  ])('with %s, where its server is under a filter', async (_name, instructions) => {
    const { filtered, end } = await startFiltered(-1);
    try {
      await showsKilled(filtered, instructions);
    } finally {
      await end();
    }
  });
});

it('has a filter of its own where its server is under one', async () => {
  const { filtered, end } = await startFiltered(-1);
  try {
    const { cell, keeper } = await makeKept(filtered);
    expect(statusField(keeper, 'Seccomp_filters')).toBe('2');
    expect((await scriptIn(cell, 'print(17)')).result.stdout.toString()).toBe('17\n');
    expect(await gone(keeper)).toBe(true);
  } finally {
    await end();
  }
});

it('is left out where the kernel does not tell what it needs to know', async () => {
  const PR_GET_TID_ADDRESS = 40;
  const { filtered, end } = await startFiltered(PR_GET_TID_ADDRESS);
  try {
    const before = new Set(keepers());
    const cell = await filtered.makeCell(LIMITS);
    expect(keepers().filter((process) => !before.has(process))).toEqual([]);
    expect((await scriptIn(cell, 'print(17)')).result.stdout.toString()).toBe('17\n');
  } finally {
    await end();
  }
});
