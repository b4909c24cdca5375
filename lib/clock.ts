// Both count from one clock, CLOCK_MONOTONIC; this one makes no BigInt.
const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of `process.hrtime`: the clock that the addon's times are of too. */
export function now(): number {
  return originMs + performance.now();
}
