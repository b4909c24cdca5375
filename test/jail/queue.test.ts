// More calls than may run at a time: what waits, in which order, at what cost, and how it ends.
import { readdirSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BusyError,
  CHANNELS,
  type Jail,
  type JailResult,
  type QueueMessage,
} from '../../lib/index';
import { createJail } from '../support/jail';
import { settledLeftovers, traces, watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const SLEEP = 'print("up", flush=True)\nimport time\ntime.sleep(60)';

/** One call that runs until it is ended, in a jail that runs no more. */
async function busyJail(options: Parameters<typeof createJail>[0] = {}): Promise<{
  jail: Jail;
  end: () => Promise<void>;
}> {
  const jail = createJail({ limits: { realtime: 60, cpu: 15 }, maxRunning: 1, ...options });
  const controller = new AbortController();
  let running: Promise<unknown> | undefined;
  await new Promise<void>((resolve, reject) => {
    running = jail.jailCode('python', {
      code: SLEEP,
      signal: controller.signal,
      onStdout: () => {
        resolve();
      },
    });
    running.catch(reject);
  });
  return {
    jail,
    end: async () => {
      controller.abort(new Error('ended'));
      await expect(running).rejects.toThrow('ended');
    },
  };
}

const busy = { code: 'ERR_CODEJAIL_BUSY', name: 'BusyError' };

it('runs no more than maxRunning at a time, and every call once, in order', async () => {
  await using jail = createJail({ limits: UNHURRIED, maxRunning: 3 });
  let most = 0;
  const order: number[] = [];
  const answers = await Promise.all(
    Array.from({ length: 24 }, async (_, number) => {
      const code = `import time; print(${number}, flush=True); time.sleep(0.05)`;
      const result = await jail.jailCode('python', {
        code,
        onStdout: () => {
          order.push(number);
          most = Math.max(most, jail.stats().queue.running);
        },
      });
      return result.stdout.toString();
    }),
  );
  expect(answers).toEqual(answers.map((_, number) => `${number}\n`));
  expect(most).toBeLessThanOrEqual(3);
  // Those that run at a time may print in any order.
  for (const [place, number] of order.entries()) {
    expect(Math.abs(place - number)).toBeLessThan(6);
  }
  expect(jail.stats()).toMatchObject({ calls: 24, running: 0, queue: { running: 0, waiting: 0 } });
});

it('serves tenants in turn', async () => {
  const { jail, end } = await busyJail();
  const begun: string[] = [];
  const call = async (name: string, tenant: string): Promise<unknown> =>
    jail.jailCode('python', { code: 'print(1)', tenant, onStdout: () => begun.push(name) });
  const calls = [1, 2, 3, 4].map(async (n) => call(`many ${n}`, 'many'));
  calls.push(call('one', 'one'));
  await end();
  await Promise.all(calls);
  expect(begun).toEqual(['many 1', 'one', 'many 2', 'many 3', 'many 4']);
  await jail.close();
});

describe('a call that waits', () => {
  it('costs no descriptor, no process and no file', async () => {
    const { jail, end } = await busyJail();
    const file = suite.file('data.txt', 'from the host');
    const before = traces();
    const descriptors = readdirSync('/proc/self/fd').length;
    const controller = new AbortController();
    const waiting = Array.from({ length: 50 }, async () =>
      jail.jailCode('python', { code: '', files: [file], signal: controller.signal }),
    );
    await sleep(100);
    expect(jail.stats().queue).toMatchObject({ running: 1, waiting: 50 });
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors);
    expect(await settledLeftovers(before)).toEqual({});
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    for (const call of waiting) {
      await expect(call).rejects.toBe(reason);
    }
    expect(jail.stats().queue).toMatchObject({ waiting: 0, abandoned: 50 });
    await end();
    await jail.close();
  });

  it('has its limits of time counted from its own start', async () => {
    const { jail, end } = await busyJail();
    const call = jail.jailCode('python', {
      code: 'import time; time.sleep(0.1)',
      limits: { realtime: 1.5, cpu: 1 },
    });
    await sleep(2000);
    await end();
    const { outcome, usage } = await call;
    expect(outcome).toBe('exited');
    expect(usage.queuedMs).toBeGreaterThan(1900);
    expect(usage.setupMs).toBeLessThan(1900);
    expect(jail.stats().queue.waits.count).toBe(1);
    await jail.close();
  });

  it('takes globals and options as they are when it is called', async () => {
    const { jail, end } = await busyJail();
    const globals: Record<string, unknown> = { x: [1] };
    const extraFiles: [string, string][] = [['a.txt', 'as it was']];
    const call = jail.safeExec('y = [x, open("a.txt").read()]', globals, { extraFiles });
    (globals['x'] as number[]).push(2);
    extraFiles[0]![1] = 'changed';
    await end();
    await call;
    expect(globals['y']).toEqual([[1], 'as it was']);
    await jail.close();
  });

  it('tells of bad input without waiting', async () => {
    const { jail, end } = await busyJail();
    const invalid = { code: 'ERR_CODEJAIL_INVALID_ARGUMENT' };
    await expect(jail.jailCode('python', { argv: [5 as unknown as string] })).rejects.toMatchObject(
      invalid,
    );
    await expect(jail.jailCode('python', { files: ['/no/such/file'] })).rejects.toMatchObject(
      invalid,
    );
    await expect(jail.safeExecJson('', '{')).rejects.toMatchObject(invalid);
    await expect(jail.jailCode('ruby')).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_NOT_CONFIGURED',
    });
    expect(jail.stats().queue).toMatchObject({ running: 1, waiting: 0 });
    await end();
    await jail.close();
  });

  it('does not keep what a jail does besides its calls', async () => {
    const { jail, end } = await busyJail();
    const call = jail.safeExec('a = 17', {});
    jail.configure('other', { bin: 'python3', warm: { size: 1, memoryReserve: 0 } });
    await jail.warmUp('other');
    await jail.verify('other');
    await jail.inspectHost();
    expect(jail.stats().queue).toMatchObject({ running: 1, waiting: 1 });
    await end();
    await call;
    await jail.close();
  });
});

describe('what is over the bounds', () => {
  it('is refused at once, whichever call it is, with what runs and waits', async () => {
    const { jail, end } = await busyJail({ maxQueue: 1 });
    const waiting = jail.safeExec('a = 17', {});
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      for (const call of [
        jail.jailCode('python', { code: '' }),
        jail.safeExec('', {}),
        jail.safeExecJson('', '{}'),
        jail.notSafeExec('', {}),
      ]) {
        const error: unknown = await call.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(BusyError);
        expect(error).toMatchObject({
          ...busy,
          ...{ reason: 'queue-full', running: 1, waiting: 1, maxRunning: 1, maxQueue: 1 },
        });
      }
    } finally {
      warning.mockRestore();
    }
    await end();
    await waiting;
    expect(jail.stats().queue.refused).toEqual({ 'queue-full': 4, 'waited-too-long': 0 });
    await jail.close();
  });

  it('is refused when it has waited for maxWaitMs', async () => {
    const { jail, end } = await busyJail();
    jail.setBounds({ maxWaitMs: 150 });
    await expect(jail.jailCode('python', { code: '' })).rejects.toMatchObject({
      ...busy,
      ...{ reason: 'waited-too-long', running: 1, waiting: 0 },
    });
    await end();
    await jail.close();
  });

  it('is bounded for runs without confinement too', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      await using jail = createJail({ alwaysBeUnsafe: true, maxRunning: 2 });
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, jail.stats().queue.running);
      }, 1);
      const all = Array.from({ length: 10 }, (_, x) => ({ x, y: -1 }));
      await Promise.all(all.map(async (globals) => jail.safeExec('y = x * x', globals)));
      clearInterval(watch);
      expect(all.map(({ y }) => y)).toEqual(all.map(({ x }) => x * x));
      expect(most).toBe(2);
    } finally {
      warning.mockRestore();
    }
  });

  it('is bounded for all jails of the process together', async () => {
    const jails = Array.from({ length: 4 }, () => createJail({ limits: UNHURRIED }));
    const { maxRunning } = jails[0]!.stats().queue.process;
    let most = 0;
    const results = await Promise.all(
      jails.flatMap((jail) =>
        Array.from({ length: maxRunning }, async () =>
          jail.jailCode('python', {
            code: 'print("up", flush=True)',
            onStdout: () => {
              most = Math.max(most, jail.stats().queue.process.running);
            },
          }),
        ),
      ),
    );
    expect(results.every(({ outcome }: JailResult) => outcome === 'exited')).toBe(true);
    expect(most).toBeLessThanOrEqual(maxRunning);
    await Promise.all(jails.map(async (jail) => jail.close()));
  });
});

it('tells what happens on the channel', async () => {
  const messages: QueueMessage[] = [];
  const onMessage = (message: unknown): void => {
    messages.push(message as QueueMessage);
  };
  const { jail, end } = await busyJail({ maxQueue: 1 });
  subscribe(CHANNELS.queue, onMessage);
  try {
    const waiting = jail.safeExec('', {}, { tenant: 'a' });
    await expect(jail.safeExec('', {}, { tenant: 'a' })).rejects.toMatchObject(busy);
    await end();
    await waiting;
  } finally {
    unsubscribe(CHANNELS.queue, onMessage);
  }
  expect(messages.map(({ type, tenant }) => [type, tenant])).toEqual([
    ['waits', 'a'],
    ['refused', 'a'],
    ['begins', 'a'],
  ]);
  await jail.close();
});

describe('a jail that is closed while calls wait', () => {
  it('ends what runs and what waits', async () => {
    const before = traces();
    const { jail } = await busyJail();
    const calls = [jail.safeExec('a = 17', {}), jail.jailCode('python', { code: '' })];
    const refused = calls.map(async (call) =>
      expect(call).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' }),
    );
    await jail.close();
    await Promise.all(refused);
    expect(await settledLeftovers(before)).toEqual({});
  });

  it('lets both end where it is drained, and refuses what comes', async () => {
    const before = traces();
    const jail = createJail({ limits: UNHURRIED, maxRunning: 2 });
    await jail.warmUp();
    const calls = Array.from({ length: 6 }, async (_, x) =>
      jail.jailCode('python', { code: `import time; time.sleep(0.1); print(${x})` }),
    );
    const closing = jail.close({ drain: true });
    const closed = { code: 'ERR_CODEJAIL_CLOSED' };
    await expect(jail.jailCode('python', { code: '' })).rejects.toMatchObject(closed);
    await expect(jail.inspectHost()).rejects.toMatchObject(closed);
    const printed = (await Promise.all(calls)).map(({ stdout }) => stdout.toString());
    expect(printed).toEqual(printed.map((_, x) => `${x}\n`));
    await closing;
    expect(await settledLeftovers(before)).toEqual({});
  });

  it('ends what is left of a drain when its time is over, or when it is closed at once', async () => {
    const before = traces();
    for (const close of [
      async (jail: Jail) => jail.close({ drain: true, timeoutMs: 200 }),
      async (jail: Jail) => {
        const draining = jail.close({ drain: true });
        await jail.close();
        await draining;
      },
    ]) {
      const { jail } = await busyJail();
      const waiting = expect(jail.safeExec('a = 17', {})).rejects.toMatchObject({
        code: 'ERR_CODEJAIL_CLOSED',
      });
      const from = performance.now();
      await close(jail);
      await waiting;
      expect(performance.now() - from).toBeLessThan(30_000);
    }
    expect(await settledLeftovers(before)).toEqual({});
  });

  it('drains at once where nothing runs', async () => {
    await createJail().close({ drain: true });
  });
});
