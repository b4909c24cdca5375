// What holds of gates whatever happens, and in whatever order.
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError } from '../../../lib/errors';
import { BusyError } from '../../../lib/gate/busy-error';
import { ProcessGate } from '../../../lib/gate/process-gate';
import { shareSignal } from '../../../lib/jail/shared-signal';
import { gateOf, settle } from '../../support/gate-work';
import { Random } from '../../support/random';

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
