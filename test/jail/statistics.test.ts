// What a jail tells of its calls: stats() and the channels of node:diagnostics_channel.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CHANNELS, createJail, type CallMessage } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();
beforeEach(async () => suite.ready());

async function listen(work: () => Promise<unknown>): Promise<CallMessage[]> {
  const messages: CallMessage[] = [];
  const onMessage = (message: unknown): void => {
    messages.push(message as CallMessage);
  };
  subscribe(CHANNELS.call, onMessage);
  try {
    await work();
  } finally {
    unsubscribe(CHANNELS.call, onMessage);
  }
  return messages;
}

it('counts calls by their outcome and by their way, with their durations', async () => {
  expect(suite.jail.stats()).toMatchObject({ calls: 0, running: 0, cold: 0, warm: 0 });
  await suite.python('print(1)');
  await suite.python('import time; time.sleep(60)', { limits: { realtime: 0.5, proxy: 0 } });
  await suite.jail.safeExec('raise ValueError', {}).catch(() => undefined);
  const stats = suite.jail.stats();
  expect(stats).toMatchObject({ calls: 3, running: 0, waiting: 0 });
  expect(stats.outcomes).toEqual({ exited: 2, 'time-limit': 1 });
  expect(stats.cold + stats.warm).toBe(3);
  expect(stats.durations.cold.maxMs).toBeGreaterThan(500);
  expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
});

it('counts a call that runs, and one that is aborted as rejected', async () => {
  const controller = new AbortController();
  const running = suite.python('import time; time.sleep(60)', { signal: controller.signal });
  expect(suite.jail.stats()).toMatchObject({ calls: 0, running: 1 });
  controller.abort();
  await running.catch(() => undefined);
  expect(suite.jail.stats()).toMatchObject({ calls: 1, running: 0, outcomes: { rejected: 1 } });
});

it('counts a call of which nothing ran as no warm one', async () => {
  const jail = createJail({ commands: { python: { bin: '/no/such/python', warm: true } } });
  const messages = await listen(async () => {
    await jail.jailCode('python', { code: 'pass' }).catch(() => undefined);
  });
  expect(jail.stats()).toMatchObject({ warm: 0, cold: 1, whyCold: {}, outcomes: { rejected: 1 } });
  expect(messages).toMatchObject([{ path: 'cold', whyCold: null, outcome: 'rejected' }]);
  await jail.close();
});

it('counts no call whose arguments were refused', async () => {
  await suite.jail.jailCode('nobody').catch(() => undefined);
  await suite.python('', { limits: { cpu: -1 } }).catch(() => undefined);
  expect(suite.jail.stats().calls).toBe(0);
});

it('tells subscribers of each call', async () => {
  const messages = await listen(async () => {
    await suite.python('print("hello")', { slug: 'first', limits: { proxy: 0 } });
    await suite.jail
      .safeExec('while True: pass', {}, { signal: AbortSignal.timeout(0), slug: 'second' })
      .catch(() => undefined);
  });
  expect(messages[0]).toMatchObject({
    command: 'python',
    slug: 'first',
    path: 'cold',
    outcome: 'exited',
    error: null,
  });
  expect(messages[0]!.result?.stdout.toString()).toBe('hello\n');
  expect(messages[0]!.milliseconds).toBeGreaterThan(0);
  expect(messages[1]).toMatchObject({ command: 'python', slug: 'second', result: null });
  expect(messages[1]!.error).toMatchObject({ name: 'TimeoutError' });
});
