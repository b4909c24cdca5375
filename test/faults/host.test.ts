// What a server lacks, or loses, while it runs jails: a clear error, and nothing left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJail, JailError, type JailOptions } from '../../lib/index';
import { hostFacts } from '../../lib/host/host';
import { native } from '../../lib/native/addon';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

jest.setTimeout(180_000);

const ROOT = join(__dirname, '..', '..');
const LIBRARY = join(ROOT, 'lib', 'index.ts');
// What `npm run build` makes: needs no loader, which caches where the user of a namespace can't.
const BUILT_LIBRARY = join(ROOT, 'dist', 'index.js');
const LOADER = join(__dirname, '..', 'support', 'load-typescript.js');
const isRoot = process.getuid?.() === 0;

/** Runs a server of its own by a shell, which may take something away from it first. */
async function server(
  source: string,
  before = '',
): Promise<{ status: number | null; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  const answer = join(folder, 'answer');
  try {
    const child = spawn(
      'sh',
      [
        '-c',
        `${before} exec "$@"`,
        'sh',
        process.execPath,
        ...(source.includes(BUILT_LIBRARY) ? [] : ['-r', LOADER]),
        '-e',
        source,
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, ANSWER: answer },
      },
    );
    const [status] = (await once(child, 'close')) as [number | null];
    let said = '';
    try {
      said = readFileSync(answer, 'utf8');
    } catch {
      // It got to no answer.
    }
    return { status, said };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A server's script: `say(text)` writes what `server` gives back; `takeDescriptors(spare)` leaves it so many, until
 * `giveBack` gets what it returns.
 */
function script(body: string, library = LIBRARY): string {
  return `
    const fs = require('node:fs');
    const { createJail } = require(${JSON.stringify(library)});
    const say = (text) => fs.appendFileSync(process.env.ANSWER, text + '\\n');
    const giveBack = (held) => held.forEach((descriptor) => fs.closeSync(descriptor));
    const takeDescriptors = (spare = 0) => {
      const held = [];
      try { for (;;) held.push(fs.openSync('/dev/null')); } catch {}
      giveBack(held.splice(held.length - spare));
      return held;
    };
    (async () => { ${body} })().then(() => say('end'), (error) => say(String(error.code) + ' ' + error.message));`;
}

describe('a server without descriptors', () => {
  it('gets a typed error at every step that needs one, and keeps none', async () => {
    const { said, status } = await server(
      script(`
        const jail = createJail({ commands: { true: '/bin/true' }, limits: { realtime: 20 } });
        await jail.jailCode('true');
        const count = () => fs.readdirSync('/proc/self/fd').length;
        const before = count();
        for (let spare = 0; spare < 16; spare += 1) {
          const held = takeDescriptors(spare);
          const outcome = await jail.jailCode('true').then(() => 'ran', (error) => error.code + ' ' + error.errnoName);
          giveBack(held);
          say(outcome + ' ' + (count() - before));
        }`),
      'ulimit -n 96;',
    );
    expect(status).toBe(0);
    const lines = said.trim().split('\n');
    expect(lines).toHaveLength(17);
    expect(lines.at(-1)).toBe('end');
    expect(lines[0]).toBe('ERR_CODEJAIL_SETUP EMFILE 0');
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(ran|ERR_CODEJAIL_SETUP EMFILE) 0$/);
    }
    // With the last of them there was enough.
    expect(lines.at(-2)).toBe('ran 0');
  });

  it.each(['cold', 'warm'])(
    'brings back all that was left or says what it lacked, at every step of collecting, %s',
    async (way) => {
      const { said, status } = await server(
        script(`
          const { spawn } = require('node:child_process');
          const warm = ${way === 'warm' ? '{ size: 1, memoryReserve: 0 }' : 'false'};
          const jail = createJail({ commands: { python: { bin: '/usr/bin/python3', warm } } });
          await jail.warmUp();
          const limits = { cpu: 20, realtime: 60, fsize: 100000 };
          const code = 'import os, time\\nos.makedirs("tmp/a/b")\\nfor name in ("out", "a/one", "a/b/two"):\\n    with open("tmp/" + name, "w") as f: f.write(name)\\nprint("done", flush=True)\\ntime.sleep(1.5)';
          const run = (onStdout) => jail.jailCode('python', { code, collect: ['**'], limits, onStdout }).then(
            ({ outcome, collected, uncollected, stdout }) => [outcome, collected.map(({ path, content }) => path + '=' + content).join(), uncollected.length, stdout].join(' ').trim(),
            (error) => [error.code, error.step, error.errnoName, error.message.includes('ulimit -n'), error.result?.stdout ?? ''].join(' ').trim());
          say(await run());
          for (let spare = 0; spare < 4; spare += 1) {
            let held = [];
            let isOver = false;
            const keepTaking = () => {
              if (spare === 0) {
                // Whatever becomes free meanwhile: no number is low enough.
                spawn('sh', ['-c', 'prlimit --nofile=3: --pid $0; sleep 5; prlimit --nofile=160: --pid $0', String(process.pid)], { stdio: 'ignore' });
              } else if (!isOver) {
                // What becomes free meanwhile, as the pipes of the call do, is taken too.
                held.push(...takeDescriptors(spare));
                setTimeout(keepTaking, 1);
              }
            };
            const told = await run(() => setTimeout(keepTaking, 100));
            isOver = true;
            giveBack(held);
            await new Promise(function wait(resolve) {
              try { fs.closeSync(fs.openSync('/dev/null')); resolve(); } catch { setTimeout(wait, 50, resolve); }
            });
            say(told);
          }
          say(await run());
          await jail.close();`),
        'ulimit -n 160;',
      );
      const all = 'exited a/b/two=a/b/two,a/one=a/one,out=out 0 done';
      const lacking = 'ERR_CODEJAIL_COLLECT collect files EMFILE true done';
      const lines = said.trim().split('\n');
      expect(status).toBe(0);
      expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual([all, all, 'end']);
      expect(lines.slice(1, -2)).toHaveLength(4);
      for (const line of lines.slice(1, -2)) {
        expect([all, lacking]).toContain(line);
      }
      expect(lines[1]).toBe(lacking);
    },
  );

  // As an ordinary user and as a sandbox user: there the launcher makes the jail's namespaces, and tells of its PID 1.
  it('ends and reaps a jail that it has no room to be told of', async () => {
    const { said, status } = await server(
      script(`
        const { addon } = require(${JSON.stringify(join(ROOT, 'lib', 'native', 'addon.ts'))}).native();
        const user = process.getuid() === 0 ? { user: 'nobody' } : {};
        const jail = createJail({ commands: { sleep: { bin: '/bin/sleep', ...user } }, limits: { realtime: 20 } });
        await jail.jailCode('sleep', { argv: ['0'] });
        const children = () => fs.readdirSync('/proc/self/task').flatMap((task) =>
          fs.readFileSync('/proc/self/task/' + task + '/children', 'utf8').split(' ').filter(Boolean)).length;
        const before = children();
        let held;
        const { spawn } = addon;
        addon.spawn = (...words) => {
          const spawned = spawn(...words);
          // When the event loop goes on, the launcher has told of it, and there is no descriptor left.
          process.nextTick(() => {
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
            held = takeDescriptors();
          });
          return spawned;
        };
        const outcome = await jail.jailCode('sleep', { argv: ['60'] }).then(() => 'ran', (error) => error.code + ' ' + error.errnoName);
        giveBack(held);
        say(outcome + ' ' + (children() - before));`),
      'ulimit -n 96;',
    );
    expect(status).toBe(0);
    expect(said.trim().split('\n')).toEqual(['ERR_CODEJAIL_SETUP EMFILE 0', 'end']);
  });

  it('gets a typed error from notSafeExec too, and leaves no directory', async () => {
    const { said, status } = await server(
      script(`
        process.emitWarning = () => undefined;
        const jail = createJail();
        await jail.notSafeExec('', {});
        for (let spare = 0; spare < 24; spare += 1) {
          const held = takeDescriptors(spare);
          const outcome = await jail.notSafeExec('', {}).then(() => 'ran', (error) => error.code + ' ' + error.errnoName);
          giveBack(held);
          say(outcome);
        }`),
      'ulimit -n 96;',
    );
    expect(status).toBe(0);
    const lines = said.trim().split('\n');
    expect(lines).toHaveLength(25);
    expect(lines.at(-1)).toBe('end');
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(ran|ERR_CODEJAIL_SETUP EMFILE)$/);
    }
    expect([lines[0], lines.at(-2)]).toEqual(['ERR_CODEJAIL_SETUP EMFILE', 'ran']);
  });

  it('loses no call where a cell comes that it has no room for', async () => {
    const { said, status } = await server(
      script(`
        const { addon } = require(${JSON.stringify(join(ROOT, 'lib', 'native', 'addon.ts'))}).native();
        const jail = createJail({
          commands: { python: { bin: 'python3', warm: { size: 1, memoryReserve: 0 } } },
          limits: { realtime: 20, cpu: 10 },
        });
        await jail.warmUp();
        await jail.safeExec('', {});
        await jail.warmUp();
        // From the making of a cell until it has told of itself there is no descriptor left.
        const { makeCell } = addon;
        let full = 0;
        addon.makeCell = (...words) => {
          const cell = makeCell(...words);
          if (full < 2) {
            full += 1;
            setTimeout(giveBack, 500, takeDescriptors());
          }
          return cell;
        };
        const globals = [{}, {}, {}];
        const calls = globals.map(async (own, index) => jail.safeExec('a = ' + index, own));
        const settled = await Promise.allSettled(calls);
        say(settled.map(({ status, reason }) => reason?.errnoName ?? status).join(' '));
        addon.makeCell = makeCell;
        await new Promise((resolve) => setTimeout(resolve, 700));
        await jail.warmUp();
        const after = {};
        await jail.safeExec('a = 17', after);
        say(String(after.a));
        await jail.close();
        say(String(full > 0));`),
      'ulimit -n 160;',
    );
    expect(status).toBe(0);
    const [calls, ...lines] = said.trim().split('\n');
    // One that had to run cold meanwhile may find no room either, and says so.
    expect(calls).toMatch(/^(fulfilled|EMFILE)( (fulfilled|EMFILE)){2}$/);
    expect(lines).toEqual(['17', 'true', 'end']);
  });

  it('makes do without the filter of a cell, which comes with its end and finds no room', async () => {
    const { said, status } = await server(
      script(`
        const jail = createJail({
          commands: { python: { bin: 'python3', warm: { size: 1, lowWater: 0, memoryReserve: 0 } } },
          limits: { realtime: 20, cpu: 10 },
        });
        await jail.warmUp();
        const globals = {};
        const call = jail.safeExec('import time\\ntime.sleep(1)\\na = 17', globals);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const held = takeDescriptors();
        const { confinement } = await call;
        giveBack(held);
        say(globals.a + ' ' + confinement.includes('warm'));
        await jail.close();`),
      'ulimit -n 160;',
    );
    expect(status).toBe(0);
    expect(said.trim().split('\n')).toEqual(['17 true', 'end']);
  });

  it('supports a server that holds hundreds of descriptors, of which none enters', async () => {
    await using jail = createJail({ limits: { realtime: 20, cpu: 10 } });
    const held = Array.from({ length: 300 }, () => openSync('/dev/null', 'r'));
    try {
      const { stdout } = await jail.jailCode('python', {
        code: 'import os; print(sorted(os.listdir("/proc/self/fd")))',
      });
      expect(stdout.toString()).toBe("['0', '1', '2', '3']\n");
    } finally {
      held.forEach(closeSync);
    }
  });

  it('supports a server whose standard streams are closed', async () => {
    const { said } = await server(
      script(`
        const jail = createJail({ limits: { realtime: 20, cpu: 10 } });
        const { stdout } = await jail.jailCode('python', { code: 'print(input())', stdin: 'hello' });
        say(stdout.toString().trim());
        const globals = {};
        await jail.safeExec('a = 17', globals);
        say(String(globals.a));`),
      'exec <&- >&- 2>&-;',
    );
    expect(said).toBe('hello\n17\nend\n');
  });
});

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
