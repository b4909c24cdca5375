// How long the event loop is held: the processor time of its longest turn, of its own thread.
import { readFileSync } from 'node:fs';

/** So much may one turn take, on a machine that others use too: half as much again as is promised. */
const TURN_MS = 20 * 1.5;

/** What the turns of some work are held to. */
export interface TurnBounds {
  /** JSON to parse, as a piece of work to go by. On a fast machine two of them take less than a turn. */
  step: string;
  /**
   * The best of so many is taken: what is promised is the work of each turn, and now and then a collection of what this
   * test process itself has left behind, the host's interrupts, or caches that others have emptied, are in the account too.
   */
  attempts: number;
}

// Of this thread alone, and not by the clock: others run on this machine. `process.cpuUsage` counts the helpers of V8 too.
function processorMs(): number {
  const [nanoseconds = '0'] = readFileSync(
    `/proc/self/task/${process.pid}/schedstat`,
    'latin1',
  ).split(' ');
  return Number(nanoseconds) / 1e6;
}

/** The processor time of the longest turn meanwhile. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = processorMs();
  const look = (): void => {
    const now = processorMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const clock = setInterval(look, 1);
  await work();
  look();
  clearInterval(clock);
  return longest;
}

/** Fails where the work holds the event loop in each attempt. */
export async function expectTurnsWithin(
  work: () => Promise<unknown>,
  { step, attempts }: TurnBounds,
): Promise<void> {
  const turns: number[] = [];
  let allowed = TURN_MS;
  do {
    turns.push(await longestTurn(work));
    // Caches and cores are shared: what the same work costs doubles beside others.
    const before = processorMs();
    JSON.parse(step);
    allowed = Math.max(allowed, 2 * (processorMs() - before));
  } while (Math.min(...turns) > allowed && turns.length < attempts);
  expect(Math.min(...turns)).toBeLessThanOrEqual(allowed);
}
