// The gate of a jail, with work that is none.
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError } from '../../lib/errors';
import { BusyError } from '../../lib/gate/busy-error';
import { Gate } from '../../lib/gate/gate';
import { ProcessGate } from '../../lib/gate/process-gate';
import type { Place } from '../../lib/gate/place';
import type { QueueEvent } from '../../lib/gate/queue-statistics';
import { AMPLE, gateOf, rejection, settle, Work } from '../support/gate-work';

describe('a gate', () => {
  it('lets calls in at once up to maxRunning, the others in order when one ends', async () => {
    const [gate, work] = [gateOf({ maxRunning: 2 }), new Work()];
    const calls = ['a', 'b', 'c', 'd', 'e'].map(async (name) => work.call(gate, name));
    expect(work.begun).toEqual(['a', 'b']);
    expect(gate.stats()).toMatchObject({ running: 2, waiting: 3 });
    await work.end('b');
    expect(work.begun).toEqual(['a', 'b', 'c']);
    await work.end('a');
    await work.endAll();
    expect(work.begun).toEqual(['a', 'b', 'c', 'd', 'e']);
    await Promise.all(calls);
    expect(gate.stats()).toMatchObject({ running: 0, waiting: 0, waits: { count: 3 } });
  });

  it('lets nobody overtake those that wait, also when a place is free already', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    const first = gate.enter(undefined, undefined);
    void work.call(gate, 'waits');
    first.leave();
    void work.call(gate, 'comes in that very moment');
    expect(work.begun).toEqual([]);
    await settle();
    await work.endAll();
    expect(work.begun).toEqual(['waits', 'comes in that very moment']);
  });

  it('serves tenants in turn', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    const many = Array.from({ length: 1000 }, async (_, n) =>
      work.call(gate, `many ${n}`, { tenant: 'many' }),
    );
    const one = work.call(gate, 'one', { tenant: 'one' });
    await work.end('many 0');
    await work.end('many 1');
    expect(work.begun).toEqual(['many 0', 'many 1', 'one']);
    expect(gate.stats()).toMatchObject({
      tenants: 1,
      busiestTenants: [{ tenant: 'many', waiting: 998 }],
    });
    await work.end('one');
    await one;
    await work.endAll();
    await Promise.all(many);
  });

  it('has a call that waits give up when it is aborted, whatever it is aborted with', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    void work.call(gate, 'runs');
    const controller = new AbortController();
    const waiting = work.call(gate, 'aborted', { signal: controller.signal });
    const other = work.call(gate, 'other', { signal: new AbortController().signal });
    controller.abort({ any: 'value' });
    expect(await rejection(waiting)).toEqual({ any: 'value' });
    expect(gate.stats()).toMatchObject({ waiting: 1, abandoned: 1 });
    await work.end('runs');
    await work.end('other');
    await other;
    expect(work.begun).toEqual(['runs', 'other']);
  });

  it('listens once to a signal that many calls have, and no more when they have had their turn', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    const { signal } = new AbortController();
    void work.call(gate, 'runs');
    const calls = Array.from({ length: 100 }, async (_, n) => work.call(gate, `${n}`, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await work.endAll();
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('aborts all calls of one signal at once, and keeps nothing of them', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    const controller = new AbortController();
    void work.call(gate, 'runs');
    const calls = Array.from({ length: 100 }, async (_, n) =>
      rejection(work.call(gate, `${n}`, { signal: controller.signal })),
    );
    controller.abort(new Error('all'));
    expect(new Set(await Promise.all(calls)).size).toBe(1);
    expect(gate.stats()).toMatchObject({ running: 1, waiting: 0, tenants: 0 });
  });

  it('refuses at once what is over maxQueue, with what runs and waits', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1, maxQueue: 2 }), new Work()];
    for (const name of ['a', 'b', 'c']) void work.call(gate, name);
    const error = await rejection(work.call(gate, 'd'));
    expect(error).toBeInstanceOf(BusyError);
    expect(error).toMatchObject({
      code: 'ERR_CODEJAIL_BUSY',
      reason: 'queue-full',
      ...{ running: 1, waiting: 2, maxRunning: 1, maxQueue: 2, waitedMs: 0, retryAfterMs: null },
    });
    expect((error as Error).message).toMatch(/maxQueue.*maxRunning.*Try again later/);
    await work.endAll();
    expect(gate.stats().refused).toEqual({ 'queue-full': 1, 'waited-too-long': 0 });
  });

  it('lets nothing wait with a maxQueue of 0', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1, maxQueue: 0 }), new Work()];
    void work.call(gate, 'runs');
    expect(await rejection(work.call(gate, 'refused'))).toBeInstanceOf(BusyError);
    await work.endAll();
  });

  it('shares a full queue: who has most waiting there yields to a tenant with less', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1, maxQueue: 4 }), new Work()];
    void work.call(gate, 'runs', { tenant: 'greedy' });
    const greedy = [1, 2, 3, 4].map(async (n) => work.call(gate, `g${n}`, { tenant: 'greedy' }));
    const modest = [1, 2].map(async (n) => work.call(gate, `m${n}`, { tenant: 'modest' }));
    const refused = await Promise.all([greedy[3], greedy[2]].map(async (call) => rejection(call!)));
    expect(refused[0]).toMatchObject({ code: 'ERR_CODEJAIL_BUSY', reason: 'queue-full' });
    // Two and two are fair.
    expect(await rejection(work.call(gate, 'm3', { tenant: 'modest' }))).toBeInstanceOf(BusyError);
    await work.endAll();
    await Promise.all([...greedy.slice(0, 2), ...modest]);
    expect(work.begun).toEqual(['runs', 'g1', 'm1', 'g2', 'm2']);
  });

  it('refuses what has waited for maxWaitMs, and tells when to try again', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1, maxWaitMs: 300 }), new Work()];
    const short = ['a', 'b', 'c', 'd'].map(async (name) => work.call(gate, name));
    const late = rejection(work.call(gate, 'late'));
    for (const name of ['a', 'b', 'c']) {
      await sleep(10);
      await work.end(name);
    }
    const error = (await late) as BusyError;
    expect(error).toMatchObject({ reason: 'waited-too-long', running: 1, waiting: 0 });
    expect(error.waitedMs).toBeGreaterThanOrEqual(299);
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(9);
    await work.end('d');
    await Promise.all(short);
    expect(gate.stats().refused).toEqual({ 'queue-full': 0, 'waited-too-long': 1 });
  });

  it('makes errors of refusal that cost little: without a stack, and leaves other errors theirs', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1, maxQueue: 0 }), new Work()];
    void work.call(gate, 'runs');
    const { stack } = (await rejection(work.call(gate, 'refused'))) as Error;
    expect(stack).toMatch(/^BusyError \[ERR_CODEJAIL_BUSY\]: the jail is busy/);
    expect(stack).not.toMatch(/\n\s+at /);
    expect(new Error('other').stack).toMatch(/\n\s+at /);
    await work.endAll();
  });

  it('takes a place from who fails before its turn', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    void work.call(gate, 'runs');
    const place = gate.enter(undefined, undefined);
    void work.call(gate, 'next');
    place.leave();
    place.leave();
    expect(gate.stats()).toMatchObject({ running: 1, waiting: 1 });
    await work.end('runs');
    expect(work.begun).toEqual(['runs', 'next']);
    await work.endAll();
  });

  it('counts a call once that leaves twice', () => {
    const gate = gateOf({ maxRunning: 2 });
    const places = [gate.enter(undefined, undefined), gate.enter(undefined, undefined)] as [
      Place,
      Place,
    ];
    places[0].leave();
    places[0].leave();
    expect(gate.stats().running).toBe(1);
  });

  it('lets more in when its bounds are raised, and puts defaults back by null', async () => {
    const process = new ProcessGate(() => ({ usual: 3, most: 100 }));
    const [gate, work] = [
      gateOf({ maxRunning: 1, maxQueue: 5, maxWaitMs: 9 }, process),
      new Work(),
    ];
    gate.setBounds({ maxWaitMs: null });
    for (const name of ['a', 'b', 'c', 'd']) void work.call(gate, name);
    gate.setBounds({ maxRunning: 2 });
    await settle();
    expect(work.begun).toEqual(['a', 'b']);
    gate.setBounds({ maxRunning: null });
    await settle();
    expect(work.begun).toEqual(['a', 'b', 'c']);
    expect(gate.stats()).toMatchObject({ maxRunning: 3, maxQueue: 5, maxWaitMs: 0 });
    gate.setBounds({ maxRunning: 1 });
    await work.end('a');
    await work.end('b');
    expect(work.begun).toEqual(['a', 'b', 'c']);
    await work.endAll();
    expect(work.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('runs by default no more than it has uids for', () => {
    const bounds = {};
    const gate = new Gate({ bounds, uids: () => 5, process: new ProcessGate(() => AMPLE) });
    expect(gate.maxRunning).toBe(5);
  });

  it('tells what happens', async () => {
    const events: QueueEvent[] = [];
    const gate = gateOf({ maxRunning: 1, maxQueue: 2 }, undefined, (event) => events.push(event));
    const work = new Work();
    const controller = new AbortController();
    void work.call(gate, 'a', { tenant: 'x' });
    void work.call(gate, 'b', { tenant: 'x' });
    const aborted = rejection(work.call(gate, 'c', { signal: controller.signal }));
    await rejection(work.call(gate, 'd'));
    controller.abort();
    await aborted;
    await work.endAll();
    expect(
      events.map(({ type, tenant, running, waiting }) => [type, tenant, running, waiting]),
    ).toEqual([
      ['waits', 'x', 1, 1],
      ['waits', null, 1, 2],
      ['refused', null, 1, 2],
      ['leaves', null, 1, 1],
      ['begins', 'x', 1, 0],
    ]);
  });
});

describe('a gate that closes', () => {
  it('refuses who waits and who comes, and lets who runs end', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    const running = work.call(gate, 'runs');
    const waiting = rejection(work.call(gate, 'waits'));
    const error = new ClosedError();
    gate.close(error);
    expect(await waiting).toBe(error);
    expect(await rejection(work.call(gate, 'later'))).toBe(error);
    await work.end('runs');
    await running;
    expect(gate.stats()).toMatchObject({ running: 0, waiting: 0 });
  });

  it('lets who waits have its turn where it is drained', async () => {
    const [gate, work] = [gateOf({ maxRunning: 1 }), new Work()];
    const calls = ['a', 'b', 'c'].map(async (name) => work.call(gate, name));
    gate.refuseLater(new ClosedError());
    await expect(work.call(gate, 'later')).rejects.toMatchObject({ code: 'ERR_CODEJAIL_CLOSED' });
    await work.endAll();
    await Promise.all(calls);
    expect(work.begun).toEqual(['a', 'b', 'c']);
  });
});
