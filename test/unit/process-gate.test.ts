// The gates of a process, together.
import { setImmediate as turn } from 'node:timers/promises';
import { ClosedError } from '../../lib/errors';
import { ProcessGate } from '../../lib/gate/process-gate';
import { gateOf, Work } from '../support/gate-work';

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
