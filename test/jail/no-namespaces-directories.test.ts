// What a jail without namespaces leaves in the host's /tmp: nothing, and what a killed server left is swept.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { chownSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as hostDirectory from '../../lib/cold/host-directory';
import { removeHostDirectory } from '../../lib/cold/host-directory';
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';
import { native } from '../../lib/native/addon';
import { watchLeftovers } from '../support/leftovers';
import { python, test_ } from '../support/no-namespaces';

watchLeftovers();

/** Python that makes a tree which no path reaches the end of. */
function deepTree(levels: number): string {
  return `import os\nos.chdir("tmp")\nfor _ in range(${levels}): os.mkdir("d" * 200); os.chdir("d" * 200)`;
}

/** The module as the next server has it, which has swept nothing yet. */
function nextServer(): typeof hostDirectory {
  let fresh: typeof hostDirectory | undefined;
  jest.isolateModules(() => {
    fresh = jest.requireActual<typeof hostDirectory>('../../lib/cold/host-directory');
  });
  if (fresh === undefined) {
    throw new Error('the module was not loaded');
  }
  return fresh;
}

const LAST_UID = DEFAULT_UID_POOL.first + DEFAULT_UID_POOL.count - 1;

/** What a server leaves that is killed while a program runs: the uid is lent to nobody. */
function makeStale(directory: string): void {
  mkdirSync(`${directory}/tmp`, { recursive: true });
  chownSync(directory, 0, LAST_UID);
  chownSync(`${directory}/tmp`, LAST_UID, LAST_UID);
}

function jailDirectories(): string[] {
  return readdirSync('/tmp').filter((name) => /^codejail-[A-Za-z0-9]{8}$/.test(name));
}

describe('a host without namespaces', () => {
  jest.setTimeout(180_000);

  test_('leaves no directory on the host', async () => {
    const before = jailDirectories();
    await python('import os\nos.makedirs("tmp/a/b")\nos.chmod("tmp/a/b", 0)');
    expect(jailDirectories()).toEqual(before);
  });

  test_('leaves no directory that is deeper than any path is long', async () => {
    const before = jailDirectories();
    const result = await python(deepTree(40));
    expect({ ...result, stderr: result.stderr.toString() }).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(jailDirectories()).toEqual(before);
  });

  test_('leaves no directory that is thousands of levels deep', async () => {
    const before = jailDirectories();
    expect(await python(deepTree(2000))).toMatchObject({ status: 0 });
    expect(jailDirectories()).toEqual(before);
  });

  test_(
    'supports a call whose directory can not be removed, and warns of what is left',
    async () => {
      const error = Object.assign(new Error(), { errno: 16, syscall: 'unlinkat' });
      const removeTree = jest.spyOn(native().addon, 'removeTree');
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
      const notes: string[] = [];
      const onNote = (level: string, message: string): void => {
        notes.push(`${level}: ${message}`);
        if (level === 'warn') throw new Error('the logger fails');
      };
      try {
        removeTree.mockRejectedValue(error);
        expect(await python('print("ran")', { onNote })).toMatchObject({
          status: 0,
          stdout: Buffer.from('ran\n'),
        });
        const refused = python('print("ran")', {
          onNote,
          onStdout: () => {
            throw new Error('the caller gave up');
          },
        });
        await expect(refused).rejects.toThrow('the caller gave up');
        // Each was tried twice.
        const left = removeTree.mock.calls
          .map(([directory]) => directory)
          .filter((_, index) => index % 2 === 1);
        expect(notes).toEqual(
          left.flatMap((directory) => [
            `info: the program runs in ${directory}`,
            `warn: the directory ${directory} of a program that has ended can't be removed and is left ` +
              '(EBUSY, resource busy or locked; in unlinkat)',
          ]),
        );
        expect(left.filter(existsSync)).toHaveLength(2);
        // Also to a server that has no logger.
        expect(warn.mock.calls.map(([warning]) => warning)).toEqual(
          left.map((directory) => expect.stringContaining(directory) as string),
        );
      } finally {
        warn.mockRestore();
        removeTree.mockRestore();
        await nextServer().sweepHostDirectories(DEFAULT_UID_POOL);
      }
    },
  );

  test_('removes the directory that a killed server left, and none that is in use', async () => {
    const stale = '/tmp/codejail-staleXXX';
    const foreign = '/tmp/codejail-foreignX';
    const young = '/tmp/codejail-youngXXX';
    try {
      makeStale(stale);
      mkdirSync(`${foreign}/tmp`, { recursive: true });
      // Another server's with a group of its own, which makes it just now.
      mkdirSync(`${young}/tmp`, { recursive: true });
      chownSync(young, 0, LAST_UID);
      await nextServer().sweepHostDirectories(DEFAULT_UID_POOL);
      expect(existsSync(stale)).toBe(false);
      // Its group is not that of a uid of its own: not a jail's.
      expect(existsSync(foreign)).toBe(true);
      expect(existsSync(young)).toBe(true);
    } finally {
      for (const directory of [stale, foreign, young]) {
        await removeHostDirectory(directory);
      }
    }
  });

  test_('leaves what a live server has, also one whose leases it does not see', async () => {
    // As in another container, which shares /tmp and not /run.
    const uidIsFree = jest.spyOn(native().addon, 'uidIsFree').mockReturnValue(true);
    let directory = '';
    try {
      const code = [
        'import os, sys',
        'open("tmp/result", "w").write("precious")',
        'print(os.getcwd(), flush=True)',
        'sys.stdin.read()',
        'print(sorted(os.listdir("tmp")))',
      ].join('\n');
      let sweeping = Promise.resolve();
      async function* stdin(): AsyncGenerator<string> {
        while (directory === '') {
          await sleep(10);
        }
        sweeping = nextServer().sweepHostDirectories(DEFAULT_UID_POOL);
        await sweeping;
        yield 'go';
      }
      const { stdout } = await python(code, {
        stdin: stdin(),
        onStdout: (chunk) => {
          directory ||= chunk.toString().trim();
        },
      });
      await sweeping;
      expect(stdout.toString()).toBe(`${directory}\n['result']\n`);
      expect(uidIsFree).toHaveBeenCalled();
    } finally {
      uidIsFree.mockRestore();
    }
  });

  test_('leaves what a server holds to collect, and what is another pool’s', async () => {
    const held = '/tmp/codejail-heldXXXX';
    const others = '/tmp/codejail-othersXX';
    makeStale(held);
    makeStale(others);
    chownSync(others, 0, LAST_UID + 1);
    chownSync(`${others}/tmp`, LAST_UID + 1, LAST_UID + 1);
    // As the server's copy of the launcher's descriptor.
    const holder = spawn('flock', ['--shared', `${held}/tmp`, 'cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      holder.stdin.write('held');
      await once(holder.stdout, 'data');
      await nextServer().sweepHostDirectories(DEFAULT_UID_POOL);
      expect([held, others].filter(existsSync)).toEqual([held, others]);
      holder.stdin.end();
      await once(holder, 'close');
      await nextServer().sweepHostDirectories(DEFAULT_UID_POOL);
      expect([held, others].filter(existsSync)).toEqual([others]);
    } finally {
      holder.stdin.end();
      for (const directory of [held, others]) {
        await removeHostDirectory(directory);
      }
    }
  });

  test_('removes what a killed server left half removed, or too deep for any path', async () => {
    const half = '/tmp/codejail-halfXXXX';
    const deep = '/tmp/codejail-deepXXXX';
    try {
      makeStale(half);
      rmSync(`${half}/tmp`, { recursive: true });
      mkdirSync(`${half}/0/d`, { recursive: true });
      makeStale(deep);
      execFileSync('python3', ['-c', deepTree(100)], { cwd: deep });
      await nextServer().sweepHostDirectories(DEFAULT_UID_POOL);
      expect([half, deep].filter(existsSync)).toEqual([]);
    } finally {
      for (const directory of [half, deep]) {
        await removeHostDirectory(directory);
      }
    }
  });

  test_('sweeps at the next call where /tmp could not be listed', async () => {
    const stale = '/tmp/codejail-staleXXX';
    const { sweepHostDirectories } = nextServer();
    const list = jest.spyOn(fs, 'readdirSync');
    try {
      makeStale(stale);
      list.mockImplementationOnce(() => {
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      });
      await sweepHostDirectories(DEFAULT_UID_POOL);
      expect(existsSync(stale)).toBe(true);
      await sweepHostDirectories(DEFAULT_UID_POOL);
      expect(existsSync(stale)).toBe(false);
    } finally {
      list.mockRestore();
      await removeHostDirectory(stale);
    }
  });
});
