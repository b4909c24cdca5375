// Calls that are given up: before they begin, during set-up, while the program runs, and too late.
import { getEventListeners } from 'node:events';
import { settledLeftovers, traces, watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';
import { createJail } from '../support/jail';

const suite = useSuite();
watchLeftovers();
beforeEach(async () => suite.ready());

const FOR_EVER = 'print("up", flush=True)\nimport time\ntime.sleep(600)';

describe('a call that is aborted', () => {
  it('runs nothing where it was aborted before', async () => {
    let ran = false;
    const reason = new Error('no longer wanted');
    const running = suite.python(FOR_EVER, {
      signal: AbortSignal.abort(reason),
      onStdout: () => {
        ran = true;
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(ran).toBe(false);
  });

  it.each([0, 1, 2, 4, 8, 16, 32])(
    'leaves nothing where it is aborted during set-up, after %d ms',
    async (delay) => {
      const before = traces();
      const reason = { any: 'value' };
      const controller = new AbortController();
      const running = suite.python(FOR_EVER, { signal: controller.signal });
      setTimeout(() => {
        controller.abort(reason);
      }, delay);
      await expect(running).rejects.toBe(reason);
      expect(await suite.leftovers(before)).toEqual({});
    },
  );

  it('ends the program where it runs, and leaves nothing', async () => {
    const before = traces();
    const controller = new AbortController();
    const reason = new Error('stop');
    const running = suite.python(`import os\nos.fork()\n${FOR_EVER}`, {
      signal: controller.signal,
      onStdout: () => {
        controller.abort(reason);
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(await suite.leftovers(before)).toEqual({});
  });

  it('changes nothing after the call has settled', async () => {
    const controller = new AbortController();
    const result = await suite.python('print(1)', { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(result.stdout.toString()).toBe('1\n');
  });

  it('has the reason of AbortSignal.timeout', async () => {
    const running = suite.python(FOR_EVER, { signal: AbortSignal.timeout(700) });
    await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('can be one of many with one signal, listens once, and keeps no listener', async () => {
    const controller = new AbortController();
    let most = 0;
    let up = 0;
    const running = Array.from({ length: 6 }, async () =>
      suite.python(FOR_EVER, {
        signal: controller.signal,
        onStdout: () => {
          up += 1;
          most = Math.max(most, getEventListeners(controller.signal, 'abort').length);
          if (up === 6) controller.abort();
        },
      }),
    );
    const settled = await Promise.allSettled(running);
    expect(settled.map(({ status }) => status)).toEqual(Array(6).fill('rejected'));
    expect(most).toBe(1);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('leaves the globals of safeExec as they were', async () => {
    const globals = { a: 1 };
    const running = suite.jail.safeExec('a = 2\nimport time\ntime.sleep(600)', globals, {
      signal: AbortSignal.timeout(700),
    });
    await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(globals).toEqual({ a: 1 });
  });

  it('ends notSafeExec as well', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const running = suite.jail.notSafeExec(
        'import time\ntime.sleep(600)',
        {},
        {
          signal: AbortSignal.timeout(700),
        },
      );
      await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
    } finally {
      warning.mockRestore();
    }
  });
});

describe('a wait that is aborted', () => {
  const reason = new Error('no longer wanted');

  it.each([
    ['inspectHost', async (signal: AbortSignal) => suite.jail.inspectHost({ signal })],
    ['verify', async (signal: AbortSignal) => suite.jail.verify('python', { signal })],
    ['warmUp', async (signal: AbortSignal) => suite.jail.warmUp(undefined, { signal })],
  ])('rejects %s with the reason, before it begins and meanwhile', async (_name, wait) => {
    await expect(wait(AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = expect(wait(controller.signal)).rejects.toBe(reason);
    controller.abort(reason);
    await waiting;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    // What has begun goes on, for whoever waits for it too.
    await wait(new AbortController().signal);
  });

  it('denies what is no signal', async () => {
    await expect(
      suite.jail.warmUp(undefined, { signal: 5 as unknown as AbortSignal }),
    ).rejects.toMatchObject({ argument: 'options.signal' });
  });

  it('ends with the jail', async () => {
    const jail = createJail();
    await jail.close();
    for (const wait of [async () => jail.inspectHost(), async () => jail.verify()]) {
      await expect(wait()).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    }
  });
});

describe('a logger that throws', () => {
  it('fails the call, and leaves nothing of its program', async () => {
    const before = traces();
    const reason = new Error('no disk');
    await using jail = createJail({
      limits: { realtime: 60 },
      logger: (_level, message) => {
        if (message.includes('the program runs in')) throw reason;
      },
    });
    await expect(jail.jailCode('python', { code: FOR_EVER, slug: 'logged' })).rejects.toBe(reason);
    await jail.close();
    expect(await settledLeftovers(before)).toEqual({});
  });
});

describe('a jail that is closed', () => {
  it('ends every call that runs, and waits for it', async () => {
    const before = traces();
    const jail = createJail({ limits: { realtime: 60 } });
    let up: () => void = () => undefined;
    const isUp = new Promise<void>((resolve) => {
      up = resolve;
    });
    const running = jail.jailCode('python', { code: FOR_EVER, onStdout: up });
    const refused = expect(running).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    await isUp;
    await jail.close();
    expect(await settledLeftovers(before)).toEqual({});
    await refused;
  });

  it('ends a run without confinement too', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const before = traces();
      const jail = createJail();
      const running = jail.notSafeExec('import time; time.sleep(600)', {});
      const refused = expect(running).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
      await jail.close();
      await refused;
      expect(await settledLeftovers(before)).toEqual({});
    } finally {
      warning.mockRestore();
    }
  });

  it('denies later calls, and can be closed again', async () => {
    const jail = createJail();
    await jail.close();
    await jail.close();
    await expect(jail.jailCode('python', { code: '' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_CLOSED',
    });
  });

  it('leaves other jails alone', async () => {
    const other = createJail();
    await other.close();
    expect(await suite.printed('print("running")')).toBe('running\n');
  });
});
