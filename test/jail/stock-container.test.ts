// The whole of a call in a stock container: a server that has Docker's default capabilities, under a filter that
// answers as Docker's default profile does. Its way of confining is tested in no-namespaces.test.ts.
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_UID_POOL } from '../../lib/confinement';
import { hostFacts } from '../../lib/host';
import { removeHostDirectory } from '../../lib/host-directory';
import type { JailOptions } from '../../lib/index';
import { callFrom, type CallerOutcome } from '../support/caller';

const lacking =
  hostFacts().kind !== 'root'
    ? ' (needs root)'
    : hostFacts().landlock === 0
      ? ' (needs a kernel with Landlock)'
      : '';
const test_ = lacking === '' ? it : it.skip;

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
