// What a server lacks, or loses, while it runs jails: a clear error, and nothing left behind.
import { readdirSync } from 'node:fs';
import { createJail, JailError, type JailOptions } from '../../lib/index';
import { hostFacts } from '../../lib/host/host';
import { native } from '../../lib/native/addon';
import { watchLeftovers } from '../support/leftovers';
import { BUILT_LIBRARY, script, server } from '../support/server';

watchLeftovers();

jest.setTimeout(180_000);

const isRoot = process.getuid?.() === 0;

describe('a server without threads', () => {
  (isRoot ? it.skip : it)(
    `gets a typed error and goes on${isRoot ? ' (needs an ordinary user: root has no limit of tasks)' : ''}`,
    async () => {
      const { said, status } = await server(
        script(`
          const jail = createJail({ commands: { true: '/bin/true' } });
          await jail.jailCode('true');
          require('node:child_process').execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1:1']);
          say(await jail.jailCode('true').then(() => 'ran', (error) => error.code));`),
      );
      expect({ said, status }).toEqual({ said: 'ERR_CODEJAIL_SETUP\nend\n', status: 0 });
    },
  );
});

describe('servers that share the pool of uids', () => {
  (isRoot ? it : it.skip)(
    `never lend one uid twice at a time${isRoot ? '' : ' (needs CAP_SETUID: an ordinary user has no pool)'}`,
    async () => {
      const body = script(`
        const jail = createJail({ uidPool: { first: 1960000000, count: 40 }, limits: { realtime: 20, cpu: 10 } });
        await jail.jailCode('python', { code: '' });
        for (let round = 0; round < 4; round += 1) {
          await Promise.all([1, 2, 3, 4].map(async () => {
            const from = Date.now();
            let uid;
            await jail.jailCode('python', {
              code: 'import os, time; print(os.getuid(), flush=True); time.sleep(0.2)',
              onStdout: (chunk) => { uid = uid ?? [Number(chunk), Date.now()]; },
            });
            // Between the first sign of life and the end of the program it was surely lent.
            say(JSON.stringify({ uid: uid[0], from: uid[1], to: uid[1] + 150 }));
          }));
        }`);
      const answers = await Promise.all([server(body), server(body)]);
      const leases = answers.flatMap(({ said }) =>
        said
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as { uid: number; from: number; to: number }),
      );
      expect(leases).toHaveLength(32);
      const clashes = leases.filter((lease, index) =>
        leases.some(
          (other, place) =>
            place !== index &&
            other.uid === lease.uid &&
            other.from < lease.to &&
            lease.from < other.to,
        ),
      );
      expect(clashes).toEqual([]);
    },
  );

  (isRoot ? it : it.skip)(
    `lend a uid again after any number of aborted calls${isRoot ? '' : ' (needs CAP_SETUID)'}`,
    async () => {
      await using jail = createJail({
        uidPool: { first: 1_961_000_000, count: 6 },
        limits: { realtime: 30 },
      });
      await jail.jailCode('python', { code: '' });
      const descriptors = readdirSync('/proc/self/fd').length;
      for (let round = 0; round < 8; round += 1) {
        const abort = new AbortController();
        const reason = new Error('given up');
        const call = jail.jailCode('python', {
          code: 'print("up", flush=True); import time; time.sleep(20)',
          signal: abort.signal,
          onStdout: () => {
            abort.abort(reason);
          },
        });
        await expect(call).rejects.toBe(reason);
      }
      expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors + 1);
    },
  );
});

describe('a host that refuses', () => {
  async function refusal(options: JailOptions): Promise<JailError> {
    let ran = false;
    const error: unknown = await createJail(options)
      .jailCode('python', {
        code: 'print("ran")',
        onStdout: () => {
          ran = true;
        },
      })
      .catch((thrown: unknown) => thrown);
    expect(ran).toBe(false);
    expect(error).toBeInstanceOf(JailError);
    return error as JailError;
  }

  it('denies the call where the launcher is missing, with the step', async () => {
    const unit = native();
    const { launcher } = unit;
    unit.launcher = '/nonexistent/codejail-launcher';
    try {
      // Another environment of the command, so that no earlier proof counts.
      const error = await refusal({
        commands: {
          python: { bin: '/usr/bin/python3', readPaths: ['/etc/alternatives', '/bin/true'] },
        },
      });
      expect(error).toMatchObject({
        code: 'ERR_CODEJAIL_SETUP',
        step: 'start the launcher',
        errnoName: 'ENOENT',
      });
    } finally {
      unit.launcher = launcher;
    }
  });

  it('denies the call where the launcher is another program', async () => {
    const unit = native();
    const { launcher } = unit;
    unit.launcher = '/bin/true';
    try {
      const error = await refusal({
        commands: {
          python: { bin: '/usr/bin/python3', readPaths: ['/etc/alternatives', '/bin/false'] },
        },
      });
      expect(error.code).toMatch(/^ERR_CODEJAIL_(SETUP|UNCONFINED)$/);
    } finally {
      unit.launcher = launcher;
    }
  });

  it('denies the call where new user namespaces are forbidden, and names the setting', async () => {
    if (hostFacts().userNamespaces.allowed) {
      const { said } = await server(
        script(
          `
          try { await createJail().jailCode('python', { code: 'print("ran")' }); say('ran'); }
          catch (error) { say(JSON.stringify({ code: error.code, missing: error.missing })); }`,
          BUILT_LIBRARY,
        ),
        // A user namespace of the test's own, in which an ordinary user may make no other.
        `exec unshare --user --map-user=1234 --keep-caps sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs "$@"' sh "$@";`,
      );
      const [line = ''] = said.split('\n');
      expect(JSON.parse(line)).toMatchObject({
        code: 'ERR_CODEJAIL_UNCONFINED',
        missing: expect.arrayContaining([
          expect.objectContaining({
            guarantee: 'files',
            why: expect.stringContaining('user.max_user_namespaces is 0') as string,
            cure: 'sudo sysctl -w user.max_user_namespaces=65536',
          }),
        ]) as unknown,
      });
    } else {
      const error = await refusal({});
      expect(error.code).toBe('ERR_CODEJAIL_UNCONFINED');
    }
  });

  it('denies the call with a profile that the kernel does not have, also where it may be missing', async () => {
    const commands = { python: { bin: '/usr/bin/python3', profile: 'nonexistent' } };
    const first = await refusal({ commands });
    expect(first.missing?.map(({ guarantee }) => guarantee)).toEqual(['files']);
    expect((await refusal({ commands, allowMissing: ['files'] })).code).toBe(
      'ERR_CODEJAIL_UNCONFINED',
    );
  });
});

it('keeps memory and descriptors flat over two hundred calls', async () => {
  await using jail = createJail({ commands: { true: '/bin/true' }, limits: { realtime: 20 } });
  const round = async (calls: number): Promise<void> => {
    for (let call = 0; call < calls; call += 1) {
      await jail.jailCode('true');
    }
  };
  await round(50);
  const descriptors = readdirSync('/proc/self/fd').length;
  const before = process.memoryUsage().rss;
  await round(200);
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors + 1);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});
