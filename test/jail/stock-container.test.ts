// The whole of a call in a stock container: a server that has Docker's default capabilities, under a filter that
// answers as Docker's default profile does. Its way of confining is tested in no-namespaces.test.ts.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';
import { hostFacts } from '../../lib/host/host';
import { removeHostDirectory } from '../../lib/cold/host-directory';
import type { JailOptions } from '../../lib/index';
import { callFrom, type CallerOutcome } from '../support/caller';

const lacking =
  hostFacts().kind !== 'root'
    ? ' (needs root)'
    : hostFacts().landlock === 0
      ? ' (needs a kernel with Landlock)'
      : '';
const test_ = lacking === '' ? it : it.skip;

const isX64 = process.arch === 'x64';
const COMMANDS = { python: { bin: '/usr/bin/python3' } };

const CONTAINER = ['python3', join(__dirname, '..', 'support', 'stock_container.py')];

const MISSING = ['metadata', 'disk'] satisfies JailOptions['allowMissing'];

async function inContainer(
  options: JailOptions,
  code: string,
  outer: readonly string[] = [],
): Promise<CallerOutcome> {
  return callFrom([...outer, ...CONTAINER], options, code);
}

describe('a stock container', () => {
  jest.setTimeout(180_000);

  test_(
    `denies the call while metadata and the total of the disk are required, and names them${lacking}`,
    async () => {
      const outcome = await inContainer({ commands: COMMANDS }, 'print("ran")');
      expect(outcome).toMatchObject({
        error: 'ERR_CODEJAIL_UNCONFINED',
        missing: ['metadata', 'disk'].map((guarantee) => ({
          guarantee,
          cure: expect.stringContaining(`allowMissing: ['${guarantee}']`) as string,
        })),
      });
    },
  );

  test_(`runs a program where these are given up by name, and says so${lacking}`, async () => {
    const { stdout, stderr, status, confinement, message } = await inContainer(
      { commands: COMMANDS, allowMissing: MISSING },
      [
        'import os, socket',
        'print(os.getuid() >= 1_900_000_000)',
        'for attempt in (lambda: open("/etc/passwd"), lambda: os.listdir("/"), lambda: open("new", "w"),',
        '                lambda: socket.socket(), lambda: os.execv("/bin/sh", ["sh"])):',
        '    try: attempt(); print("reached")',
        '    except PermissionError: print("denied")',
        'open("tmp/written", "w").close()',
      ].join('\n'),
    );
    expect({ message, stderr }).toEqual({ message: undefined, stderr: '' });
    expect(stdout).toBe(`True\n${'denied\n'.repeat(5)}`);
    expect(status).toBe(0);
    expect(confinement).toEqual(
      expect.arrayContaining(['uid-pool', 'seccomp', 'missing:metadata', 'missing:disk']),
    );
    expect(confinement?.some((name) => name.startsWith('landlock-'))).toBe(true);
    expect(confinement?.some((name) => name.includes('namespace'))).toBe(false);
  });

  // `mount -o hidepid=2`, or ProtectProc=invisible in a systemd unit.
  const HIDDEN = [
    ...['unshare', '--mount', '--pid', '--fork', '--mount-proc', 'sh', '-c'],
    ...['mount -o remount,hidepid=2 /proc && exec "$@"', 'sh'],
  ];

  test_(
    `sums up programs where /proc hides processes, since none can hide itself${lacking}`,
    async () => {
      const { stdout, stderr, message } = await inContainer(
        { commands: COMMANDS, allowMissing: MISSING },
        [
          'import ctypes, os',
          'print(ctypes.CDLL(None).prctl(4, 0, 0, 0, 0))',
          // Where the launcher could not see it, there would be no sum of what its children use.
          'if os.fork() == 0: os._exit(0)',
          'os.wait()',
        ].join('\n'),
        HIDDEN,
      );
      expect({ message, stderr }).toEqual({ message: undefined, stderr: '' });
      expect(stdout).toBe('-1\n');
    },
  );

  test_(
    `denies the call there where other programs may be executed, which can hide${lacking}`,
    async () => {
      const outcome = await inContainer(
        {
          commands: { python: { bin: '/usr/bin/python3', allowExec: true } },
          allowMissing: MISSING,
          // One would have the sums of those too.
          cgroup: false,
        },
        'print("ran")',
        HIDDEN,
      );
      expect(outcome).toMatchObject({
        error: 'ERR_CODEJAIL_UNCONFINED',
        missing: ['memory', 'cpu'].map((guarantee) => ({
          guarantee,
          cure: expect.stringContaining('hidepid') as string,
        })),
      });
    },
  );

  test_(
    `denies the call there where the program may not be read, and hides so${lacking}`,
    async () => {
      const folder = mkdtempSync('/usr/local/lib/codejail-test-');
      const bin = join(folder, 'python3');
      try {
        chmodSync(folder, 0o755);
        copyFileSync('/usr/bin/python3', bin);
        chmodSync(bin, 0o711);
        const options = {
          commands: { python: { bin } },
          allowMissing: MISSING,
          cgroup: false as const,
        };
        expect((await inContainer(options, 'print("ran")')).stdout).toBe('ran\n');
        const { stdout, message } = await inContainer(options, 'print("ran")', HIDDEN);
        expect(stdout).toBeUndefined();
        expect(message).toMatch(/may not read it.*hidepid/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  (isX64 ? test_ : it.skip)(
    `denies the call there where the loader of the program's libraries may not be read${isX64 ? lacking : ' (knows the name of that of x86-64)'}`,
    async () => {
      const folder = mkdtempSync('/usr/local/lib/codejail-test-');
      const loader = '/lib64/ld-linux-x86-64.so.2';
      // The path is replaced within the program: it has the same length.
      const hidden = `/usr/local/lib/cj${`${process.pid}`.padStart(7, '0')}.so`;
      const bin = join(folder, 'python3');
      try {
        chmodSync(folder, 0o755);
        const program = readFileSync('/usr/bin/python3');
        program.write(hidden, program.indexOf(`${loader}\0`));
        writeFileSync(bin, program, { mode: 0o755 });
        copyFileSync(loader, hidden);
        chmodSync(hidden, 0o711);
        const options = {
          commands: { python: { bin } },
          allowMissing: MISSING,
          cgroup: false as const,
        };
        expect((await inContainer(options, 'print("ran")')).stdout).toBe('ran\n');
        const { stdout, message } = await inContainer(options, 'print("ran")', HIDDEN);
        expect(stdout).toBeUndefined();
        expect(message).toMatch(/may not read.*what runs it.*hidepid/);
      } finally {
        rmSync(hidden, { force: true });
        rmSync(folder, { recursive: true });
      }
    },
  );

  // A hard limit of 0 on core files, and a pattern as systemd-coredump and apport set it.
  const withCorePattern = (pattern: string, limit: string): string[] => [
    ...['unshare', '--mount', 'sh', '-c'],
    'mount -t tmpfs none /mnt && echo "$0" >/mnt/pattern && mount --bind /mnt/pattern /proc/sys/kernel/core_pattern && exec "$@"',
    ...[pattern, 'prlimit', `--core=${limit}`],
  ];

  test_.each([
    ['|/usr/bin/handler', '0:0'],
    ['@/run/handler.socket', '0:0'],
    ['@/run/handler.socket', 'unlimited:unlimited'],
  ])(
    `denies the call where a crash would have the host's handler run: %s, core files %s${lacking}`,
    async (pattern, limit) => {
      const outcome = await inContainer(
        { commands: COMMANDS, allowMissing: MISSING },
        'print("ran")',
        withCorePattern(pattern, limit),
      );
      expect(outcome).toMatchObject({
        error: 'ERR_CODEJAIL_UNCONFINED',
        missing: [
          { guarantee: 'processes', cure: expect.stringContaining('core_pattern') as string },
        ],
      });
    },
  );

  test_.each([
    ['|/usr/bin/handler', '1:1'],
    ['|/usr/bin/handler', 'unlimited:unlimited'],
    ['core', '0:0'],
  ])(
    `supports calls where a crash starts nothing: %s, core files %s${lacking}`,
    async (pattern, limit) => {
      const { stdout, stderr, message } = await inContainer(
        { commands: COMMANDS, allowMissing: MISSING },
        [
          'import resource',
          'before = resource.getrlimit(resource.RLIMIT_CORE)',
          'resource.setrlimit(resource.RLIMIT_CORE, (0, 0))',
          'print(before == resource.getrlimit(resource.RLIMIT_CORE), before[0])',
        ].join('\n'),
        withCorePattern(pattern, limit),
      );
      expect({ message, stderr }).toEqual({ message: undefined, stderr: '' });
      expect(stdout).toBe(`True ${limit === '0:0' ? 0 : 1}\n`);
    },
  );

  test_(
    `supports calls while a directory that a killed server left can't be removed${lacking}`,
    async () => {
      const stuck = '/tmp/codejail-stuckXXX';
      const stale = '/tmp/codejail-staleXXX';
      try {
        for (const directory of [stuck, stale]) {
          mkdirSync(`${directory}/tmp/kept`, { recursive: true });
          chownSync(directory, 0, DEFAULT_UID_POOL.first);
          chownSync(`${directory}/tmp`, DEFAULT_UID_POOL.first, DEFAULT_UID_POOL.first);
        }
        // unlink(2): EBUSY, for whoever sees the mount.
        const mounted = `mount -t tmpfs none ${stuck}/tmp/kept && exec "$@"`;
        const { stdout, message } = await inContainer(
          { commands: COMMANDS, allowMissing: MISSING },
          'print("ran")',
          ['unshare', '--mount', 'sh', '-c', mounted, 'sh'],
        );
        expect({ message, stdout }).toEqual({ message: undefined, stdout: 'ran\n' });
        expect([stuck, stale].filter(existsSync)).toEqual([stuck]);
      } finally {
        for (const directory of [stuck, stale]) {
          await removeHostDirectory(directory);
        }
      }
    },
  );
});
