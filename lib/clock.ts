/** Milliseconds of `process.hrtime`: the clock that the addon's times are of too. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
