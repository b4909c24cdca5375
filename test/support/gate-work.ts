// Work that waits at a gate, and is none.
import { setImmediate as turn } from 'node:timers/promises';
import { Gate } from '../../lib/gate/gate';
import { ProcessGate } from '../../lib/gate/process-gate';
import type { QueueEvent } from '../../lib/gate/queue-statistics';
import { shareSignal } from '../../lib/jail/shared-signal';
import type { BoundArguments } from '../../lib/options/types';
import { Deferred } from './fake-template';

/** What a process has room for that is never full. */
export const AMPLE = { usual: 1000, most: 1000 };

/** A gate with these bounds. */
export function gateOf(
  bounds: Partial<BoundArguments> = {},
  process = new ProcessGate(() => AMPLE),
  onEvent?: (event: QueueEvent) => void,
): Gate {
  const all = { maxRunning: undefined, maxQueue: undefined, maxWaitMs: undefined, ...bounds };
  return new Gate({ bounds: all, process, ...(onEvent === undefined ? {} : { onEvent }) });
}

/** Work at a gate: in which order it began, and an end for each. */
export class Work {
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

/** Lets what follows from what was done happen. */
export async function settle(): Promise<void> {
  for (let count = 0; count < 4; count += 1) {
    await turn();
  }
}

/** What a call was refused with. */
export async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('it was let in');
    },
    (error: unknown) => error,
  );
}
