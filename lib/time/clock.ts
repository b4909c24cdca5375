// Both count from one clock, CLOCK_MONOTONIC; the second one makes no BigInt.
function difference(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

// The first call of each takes up to a millisecond, between the two readings.
difference();
const originMs = difference();

/** Milliseconds of `process.hrtime`: the clock that the addon's times are of too. */
export function now(): number {
  return originMs + performance.now();
}

/** Node's timers take no more; a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
