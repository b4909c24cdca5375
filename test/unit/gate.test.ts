// The gate of a jail, with work that is none.
import { getEventListeners } from 'node:events';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { BusyError, ClosedError } from '../../lib/errors';
import { Gate } from '../../lib/gate/gate';
import { ProcessGate } from '../../lib/gate/process-gate';
import type { Place } from '../../lib/gate/place';
import type { QueueEvent } from '../../lib/gate/queue-statistics';
import { shareSignal } from '../../lib/jail/shared-signal';
import type { BoundArguments } from '../../lib/options/types';
import { Deferred } from '../support/fake-template';
import { Random } from '../support/random';

const AMPLE = { usual: 1000, most: 1000 };

function gateOf(
  bounds: Partial<BoundArguments> = {},
  process = new ProcessGate(() => AMPLE),
  onEvent?: (event: QueueEvent) => void,
): Gate {
  const all = { maxRunning: undefined, maxQueue: undefined, maxWaitMs: undefined, ...bounds };
  return new Gate({ bounds: all, process, ...(onEvent === undefined ? {} : { onEvent }) });
}

/** Work at a gate: in which order it began, and an end for each. */
class Work {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, Deferred>();

  async call(
    gate: Gate,
    name: string,
    { tenant, signal }: { tenant?: string; signal?: AbortSignal } = {},
  ): Promise<string> {
    const place = gate.enter(tenant, signal === undefined ? undefined : shareSignal(signal));
    try {
      if (!place.isIn) {
        await place.turn();
      }
      this.begun.push(name);
      const end = new Deferred();
      this.#ends.set(name, end);
      await end.promise;
      return name;
    } finally {
      place.leave();
    }
  }

  /** Ends one that has begun, and lets what follows from it happen. */
  async end(name: string): Promise<void> {
    const end = this.#ends.get(name);
    if (end === undefined) throw new Error(`${name} has not begun`);
    this.#ends.delete(name);
    end.resolve();
    await settle();
  }

  /** Ends all that runs, until nothing begins any more. */
  async endAll(): Promise<void> {
    while (this.#ends.size > 0) {
      for (const name of [...this.#ends.keys()]) {
        await this.end(name);
      }
    }
  }
}

async function settle(): Promise<void> {
  for (let count = 0; count < 4; count += 1) {
    await turn();
  }
}

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('it was let in');
    },
    (error: unknown) => error,
  );
}

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

describe('the gates of one process', () => {
  it('share its bound, in turn', async () => {
    const process = new ProcessGate(() => ({ usual: 2, most: 100 }));
    const [one, other, work] = [gateOf({}, process), gateOf({}, process), new Work()];
    for (let n = 0; n < 6; n += 1) void work.call(one, `one ${n}`);
    for (let n = 0; n < 2; n += 1) void work.call(other, `other ${n}`);
    expect(work.begun).toEqual(['one 0', 'one 1']);
    expect(other.stats()).toMatchObject({
      running: 0,
      waiting: 2,
      maxRunning: 2,
      process: { running: 2, maxRunning: 2 },
    });
    await work.end('one 0');
    await work.end('one 1');
    // Each had its turn.
    expect(work.begun.slice(2).sort()).toEqual(['one 2', 'other 0']);
    await work.endAll();
    expect(work.begun).toHaveLength(8);
    expect(process.running).toBe(0);
  });

  it('let one jail go on whose own bound is not reached while another waits for its own', async () => {
    const process = new ProcessGate(() => ({ usual: 3, most: 100 }));
    const [narrow, wide] = [gateOf({ maxRunning: 1 }, process), gateOf({}, process)];
    const work = new Work();
    for (const name of ['n1', 'n2']) void work.call(narrow, name);
    void work.call(wide, 'w1');
    expect(work.begun).toEqual(['n1', 'w1']);
    await work.endAll();
    expect(work.begun).toEqual(['n1', 'w1', 'n2']);
  });

  it('run together as many as any of them was given, until it is closed', () => {
    const process = new ProcessGate(() => ({ usual: 4, most: 100 }));
    const gates = [gateOf({ maxRunning: 20 }, process), gateOf({ maxRunning: 20 }, process)];
    expect(process.maxRunning).toBe(20);
    gates[0]!.close(new ClosedError());
    gates[0]!.setBounds({ maxRunning: 50 });
    expect(process.maxRunning).toBe(20);
    gates[1]!.close(new ClosedError());
    expect(process.maxRunning).toBe(4);
  });

  it('never run more than there are descriptors for', () => {
    const process = new ProcessGate(() => ({ usual: 4, most: 10 }));
    gateOf({ maxRunning: 500 }, process);
    expect(process.maxRunning).toBe(10);
  });

  it('let no more in at once than may run, however fast calls fail, and hold the event loop no longer', async () => {
    const gate = gateOf({ maxRunning: 3, maxQueue: 100 });
    const held = [1, 2, 3].map(() => gate.enter(undefined, undefined));
    let inThisTurn = 0;
    let most = 0;
    const fail = async (): Promise<void> => {
      const place = gate.enter(undefined, undefined);
      try {
        if (!place.isIn) await place.turn();
        inThisTurn += 1;
        most = Math.max(most, inThisTurn);
        throw new Error('fails');
      } finally {
        place.leave();
      }
    };
    const all = Promise.allSettled(Array.from({ length: 60 }, fail));
    for (const place of held) place.leave();
    for (let turns = 0; turns < 100; turns += 1) {
      await turn();
      inThisTurn = 0;
    }
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true);
    expect(most).toBeLessThanOrEqual(3);
    expect(gate.stats()).toMatchObject({ running: 0, waiting: 0 });
  });
});

/** One call of a random sequence. */
interface Sent {
  gate: number;
  tenant: string | undefined;
  order: number;
  controller: AbortController;
  state: 'sent' | 'runs' | 'ended' | 'busy' | 'aborted' | 'closed';
  end: () => void;
}

describe('any sequence of calls, ends, aborts, new bounds and closes', () => {
  const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1);

  it.each(seeds)('loses nothing, and keeps order and bounds, seed %d', async (seed) => {
    const random = new Random(seed);
    const process = new ProcessGate(() => ({ usual: 1 + random.below(5), most: 6 }));
    const gates = [1, 2, 3].map(() =>
      gateOf(
        {
          maxRunning: random.of([undefined, 1, 2, 4]),
          maxQueue: random.of([undefined, 0, 2, 10]),
          maxWaitMs: random.of([undefined, 1, 5]),
        },
        process,
      ),
    );
    const isClosed = gates.map(() => false);
    const sent: Sent[] = [];
    const settled: Promise<void>[] = [];
    const send = (gate: number): void => {
      const controller = new AbortController();
      const entry: Sent = {
        ...{ gate, tenant: random.of([undefined, 'a', 'b']), order: sent.length, controller },
        ...{ state: 'sent', end: () => undefined },
      };
      sent.push(entry);
      const run = async (): Promise<void> => {
        const place = gates[gate]!.enter(entry.tenant, shareSignal(controller.signal));
        try {
          if (!place.isIn) await place.turn();
          entry.state = 'runs';
          await new Promise<void>((resolve) => (entry.end = resolve));
          entry.state = 'ended';
        } finally {
          place.leave();
        }
      };
      settled.push(
        run().catch((error: unknown) => {
          if (error instanceof BusyError) entry.state = 'busy';
          else if (error instanceof ClosedError) entry.state = 'closed';
          else if (error === controller.signal.reason) entry.state = 'aborted';
          else throw error;
        }),
      );
    };
    const those = (state: Sent['state']): Sent[] => sent.filter((entry) => entry.state === state);
    const check = (): void => {
      expect(process.running).toBe(those('runs').length);
      for (const [index, gate] of gates.entries()) {
        const own = sent.filter((entry) => entry.gate === index);
        const waiting = own.filter(({ state }) => state === 'sent');
        const running = own.filter(({ state }) => state === 'runs').length;
        expect(gate.stats()).toMatchObject({ running, waiting: waiting.length });
        // Nobody waits for what is free.
        expect(
          waiting.length === 0 ||
            running >= gate.maxRunning ||
            process.running >= process.maxRunning,
        ).toBe(true);
        // Of each tenant, nobody has begun before who came first.
        for (const { tenant, order } of waiting) {
          const later = own.filter((other) => other.tenant === tenant && other.order > order);
          expect(later.filter(({ state }) => state === 'runs' || state === 'ended')).toEqual([]);
        }
      }
    };
    for (let step = 0; step < 120; step += 1) {
      const gate = random.below(gates.length);
      switch (random.below(12)) {
        case 0:
          random.of([...those('sent'), undefined])?.controller.abort();
          break;
        case 1:
          gates[gate]!.setBounds({ maxRunning: random.of([null, 1, 3, 9]) });
          break;
        case 2:
          // Rarely: a closed gate does nothing any more.
          if (random.below(8) === 0) {
            isClosed[gate] = true;
            gates[gate]![random.of(['close', 'refuseLater'] as const)](new ClosedError());
          }
          break;
        case 3:
          await sleep(2);
          break;
        case 4:
        case 5:
        case 6:
          random.of([...those('runs'), undefined])?.end();
          break;
        default:
          send(gate);
      }
      if (random.below(3) === 0) {
        await settle();
        check();
      }
    }
    while (those('runs').length + those('sent').length > 0) {
      for (const entry of those('runs')) entry.end();
      await settle();
      check();
    }
    await Promise.all(settled);
    for (const [index, gate] of gates.entries()) {
      const own = sent.filter((entry) => entry.gate === index);
      expect(gate.stats()).toMatchObject({ running: 0, waiting: 0, tenants: 0 });
      if (isClosed[index] !== true) {
        expect(own.filter(({ state }) => state === 'closed')).toEqual([]);
      }
    }
    for (const { controller } of sent) {
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
  });
});
