// How sessions begin and end.
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CHANNELS, type CallMessage, type Session, type SessionOptions } from '../../lib/index';
import { createJail, mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { isOurs } from '../support/processes';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function open(options: SessionOptions = {}): Promise<Session> {
  await suite.ready();
  return suite.jail.openSession(options);
}

/** One that has ended meanwhile needs no signal. */
function signalTo(number: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(number, signal);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
  }
}

describe('the limits of a step', () => {
  it.each([
    ['cpu', 'while True: pass', { cpu: 0.3 }, 'cpu-limit'],
    ['realtime', 'import time; time.sleep(60)', { realtime: 0.5 }, 'time-limit'],
    ['output', 'while True: print("x" * 1000)', { output: 100_000 }, 'output-limit'],
    ['memory', 'x = []\nwhile True: x.append(bytearray(2 ** 20))', {}, 'memory-limit'],
  ] as const)('end it, and the state before is there: %s', async (limit, code, limits, outcome) => {
    const session = await open({
      globals: { y: 7 },
      limits: { ...UNHURRIED, memory: 128 * 2 ** 20 },
    });
    await session.run('y += 1');
    const result = await session.run(code, { limits });
    expect(result).toMatchObject({ outcome, state: 'rolled back', exceeded: { limit } });
    expect(result.hints).not.toEqual([]);
    expect((await session.run('y')).value).toBe('8');
  });

  it('give back what was printed before', async () => {
    const session = await open();
    const { stdout } = await session.run('print("before")\nwhile True: pass', {
      limits: { cpu: 0.2 },
    });
    expect(stdout.toString()).toBe('before\n');
  });

  it('are told by usage', async () => {
    const session = await open({ limits: UNHURRIED });
    const { usage } = await session.run(
      'import time\nuntil = time.process_time() + 0.2\nwhile time.process_time() < until: pass',
    );
    expect(usage.cpuMs).toBeGreaterThan(190);
    expect(usage.wallMs).toBeGreaterThanOrEqual(usage.cpuMs * 0.9);
    expect(usage.userMs + usage.systemMs).toBeGreaterThan(150);
    const { usage: next } = await session.run('1');
    expect(next.cpuMs).toBeLessThan(150);
  });

  it('do not count what is shared with the state twice', async () => {
    const session = await open({ limits: { ...UNHURRIED, memory: 128 * 2 ** 20 } });
    await session.run(
      'big = bytearray(80 * 2 ** 20)\nfor i in range(0, len(big), 4096): big[i] = 1',
    );
    const results = await Promise.all(
      [1, 2, 3].map(async () =>
        session.run('import time\ntime.sleep(0.3)\nlen(big)', { keep: 'never' }),
      ),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(['exited', 'exited', 'exited']);
    expect((await session.run('len(big)')).value).toBe(String(80 * 2 ** 20));
  });
});

describe('a step', () => {
  it('is aborted, and rolled back', async () => {
    const session = await open({ limits: UNHURRIED });
    const controller = new AbortController();
    const running = session.run('y = 1\nimport time; time.sleep(60)', {
      signal: controller.signal,
    });
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 100);
    await expect(running).rejects.toThrow('enough');
    expect((await session.run('"y" in globals()')).value).toBe('False');
    await expect(
      session.run('1', { signal: AbortSignal.abort(new Error('early')) }),
    ).rejects.toThrow('early');
  });

  it('is aborted while it waits behind another one', async () => {
    const session = await open({ limits: UNHURRIED, globals: { x: 0 } });
    const first = session.run('import time; time.sleep(1)\nx += 1');
    const controller = new AbortController();
    const waiting = session.run('x += 10', { signal: controller.signal });
    const last = session.run('x += 100\nx');
    setTimeout(() => {
      controller.abort(new Error('given up'));
    }, 50);
    const settled: string[] = [];
    await Promise.all([
      expect(waiting)
        .rejects.toThrow('given up')
        .then(() => settled.push('given up')),
      first.then(() => settled.push('first')),
    ]);
    expect(settled).toEqual(['given up', 'first']);
    expect((await last).value).toBe('101');
  });

  it.each(['never', 'always'] as const)(
    'leaves nothing, whenever it is aborted: keep %s',
    async (keep) => {
      const session = await open({ limits: UNHURRIED });
      const COUNT =
        'import os\nsum(1 for name in os.listdir("/proc") if name.isdigit() and name != "1")';
      await session.run('1');
      const files = readdirSync('/proc/self/fd').length;
      for (let moment = 0; moment < 60; moment += 1) {
        const controller = new AbortController();
        const running = session.run('1', { keep, signal: controller.signal });
        running.catch(() => undefined);
        if (moment < 40) {
          for (let turn = 0; turn < moment; turn += 1) {
            await Promise.resolve();
          }
        } else {
          await pause((moment - 40) / 4);
        }
        controller.abort(new Error('at some moment'));
        await running.catch((error: unknown) => {
          expect(error).toMatchObject({ message: 'at some moment' });
        });
      }
      expect(Number((await session.run(COUNT)).value)).toBeLessThanOrEqual(4);
      expect(readdirSync('/proc/self/fd').length - files).toBeLessThan(10);
    },
  );

  it('fails with what a callback of the caller throws', async () => {
    const session = await open();
    await expect(
      session.run('print("x")', {
        onStdout: () => {
          throw new Error('of the caller');
        },
      }),
    ).rejects.toThrow('of the caller');
    expect((await session.run('1')).value).toBe('1');
  });

  it('is refused where as many wait as may', async () => {
    const own = createJail({ maxQueue: 2, limits: UNHURRIED });
    try {
      const session = await own.openSession();
      await session.run('x = 0');
      const steps = [1, 2, 3, 4, 5].map(async () => session.run('x += 1'));
      const settled = await Promise.allSettled(steps);
      expect(settled.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'rejected',
        'rejected',
      ]);
      await expect(steps[4]).rejects.toMatchObject({
        code: 'ERR_CODEJAIL_BUSY',
        reason: 'queue-full',
        waiting: 2,
        maxQueue: 2,
      });
      expect((await session.run('x')).value).toBe('3');
    } finally {
      await own.close();
    }
  });

  it('waits for those before it', async () => {
    const session = await open({ globals: { x: 0 } });
    const results = await Promise.all(
      Array.from({ length: 20 }, async () => session.run('x += 1\nx')),
    );
    expect(results.map(({ value }) => value)).toEqual(
      Array.from({ length: 20 }, (_, index) => String(index + 1)),
    );
  });
});

describe('a session', () => {
  it('is closed when nothing was run for so long', async () => {
    const session = await open({ idleSeconds: 0.3 });
    await session.run('1');
    while (session.isOpen) {
      await pause(20);
    }
    await expect(session.run('1')).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_SESSION_LOST',
      reason: 'idle',
    });
    expect(session.lost).toMatchObject({ reason: 'idle' });
  });

  it('is not idle while a step runs', async () => {
    const session = await open({ idleSeconds: 0.2, limits: UNHURRIED });
    expect((await session.run('import time\ntime.sleep(0.6)\n1')).value).toBe('1');
  });

  it('is closed by its signal', async () => {
    const controller = new AbortController();
    const session = await open({ signal: controller.signal, limits: UNHURRIED });
    const running = session.run('import time; time.sleep(60)');
    setTimeout(() => {
      controller.abort(new Error('of the session'));
    }, 100);
    await expect(running).rejects.toThrow('of the session');
    await expect(session.run('1')).rejects.toThrow('of the session');
    await expect(suite.jail.openSession({ signal: controller.signal })).rejects.toThrow(
      'of the session',
    );
  });

  it('is closed with its jail, and what runs in it is ended', async () => {
    const session = await open({ limits: UNHURRIED });
    const running = session.run('import time; time.sleep(60)');
    running.catch(() => undefined);
    await pause(50);
    await suite.jail.close();
    await expect(running).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    await expect(session.run('1')).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
  });

  it('closes at the end of its block, and twice is fine', async () => {
    const session = await open();
    await session[Symbol.asyncDispose]();
    await session.close();
    expect(session).toMatchObject({ isOpen: false, lost: null });
    await expect(session.run('1')).rejects.toThrow('this session is closed');
    await expect(session.files.list()).rejects.toThrow('this session is closed');
  });

  it('goes on where its processes were stopped meanwhile, as by a freezer', async () => {
    const session = await open({ globals: { x: 7 }, limits: UNHURRIED });
    await session.run('1', { keep: 'never' });
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOurs(name));
    const processes = all.filter((name) => Number(name) !== process.pid).map(Number);
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
      for (const number of processes) {
        signalTo(number, signal);
      }
      await pause(100);
    }
    for (const keep of ['never', 'never', 'always', 'never'] as const) {
      expect((await session.run('x', { keep })).value).toBe('7');
    }
  });

  it('is counted and told of', async () => {
    const told: CallMessage[] = [];
    const listen = (message: unknown): void => {
      told.push(message as CallMessage);
    };
    subscribe(CHANNELS.call, listen);
    try {
      const session = await open({ slug: 'lesson' });
      await session.run('1', { slug: 'step' });
      await session.run('1 / 0');
      expect(suite.jail.stats()).toMatchObject({
        steps: 2,
        sessions: { open: 1, opened: 1, lost: 0 },
        durations: { session: { count: 2 } },
      });
      await session.close();
      expect(suite.jail.stats().sessions.open).toBe(0);
    } finally {
      unsubscribe(CHANNELS.call, listen);
    }
    expect(told.map(({ path, slug, outcome }) => ({ path, slug, outcome }))).toEqual([
      { path: 'session', slug: 'step', outcome: 'exited' },
      { path: 'session', slug: 'lesson', outcome: 'exited' },
    ]);
  });

  it('has as many descriptors after many steps as after a few', async () => {
    const session = await open();
    const count = (): number => readdirSync('/proc/self/fd').length;
    await session.run('x = 0');
    const before = count();
    for (let i = 0; i < 30; i += 1) {
      await session.run('x += 1', { keep: i % 3 === 0 ? 'never' : 'always' });
    }
    expect(count() - before).toBeLessThan(10);
  });

  it('is one of a hundred that are open side by side, each with its own state', async () => {
    await suite.ready();
    const SESSIONS = 100;
    const sessions: Session[] = [];
    for (let n = 0; n < SESSIONS; n += 10) {
      const opening = Array.from({ length: 10 }, async (_, i) =>
        suite.jail.openSession({ globals: { number: n + i }, limits: UNHURRIED }),
      );
      sessions.push(...(await Promise.all(opening)));
    }
    for (const keep of ['always', 'never'] as const) {
      const results = await Promise.all(
        sessions.map(async (each) => each.run('number += 1000\nnumber', { keep })),
      );
      const added = keep === 'always' ? 1000 : 2000;
      expect(results.map(({ value }) => value)).toEqual(
        Array.from({ length: SESSIONS }, (_, n) => String(n + added)),
      );
    }
    await Promise.all(sessions.map(async (each) => each.close()));
  }, 240_000);

  it('says what confines it', async () => {
    const session = await open();
    const { confinement } = await session.run('1');
    expect(confinement).toContain('warm');
    expect(confinement).toContain('seccomp');
  });

  it(`opens ${mode === 'warm' ? 'from a waiting cell' : 'with a template of its own'}`, async () => {
    const session = await open();
    expect(Object.keys(suite.jail.stats().pools)).toEqual(mode === 'warm' ? ['python'] : []);
    expect((await session.run('2')).value).toBe('2');
  });

  it('refuses a command that can not wait for steps, with the reason', async () => {
    suite.jail.configure('shell', { bin: '/bin/sh' });
    await expect(suite.jail.openSession({ command: 'shell' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_SETUP',
      message: expect.stringContaining('not a Python') as string,
    });
  });
});
