// The limits of a call, as the native half takes them.
import type { Confinement } from '../confinement/plan';
import type { Limits } from '../limits';
import { SpecFlag, type NativeSpec } from '../native/addon';

const MEBIBYTE = 1024 * 1024;

/** How the native half spells that there is none. */
export const NO_LIMIT = -1;
const MAX_OPEN_FILES = 128;

/** The limits of a call, as the native half takes them. */
export type NativeLimits = Pick<
  NativeSpec,
  | 'cpuMicroseconds'
  | 'rlimitCpuSeconds'
  | 'rlimitAs'
  | 'rlimitData'
  | 'rlimitFsize'
  | 'rlimitNproc'
  | 'rlimitNofile'
  | 'memoryBytes'
>;

function orNone(limit: number): number {
  return limit === 0 ? NO_LIMIT : limit;
}

// The sampled sum is what counts; this is the wall behind it, for a burst between two samples.
function dataLimit(memory: number): number {
  return memory === 0 ? NO_LIMIT : memory + Math.max(32 * MEBIBYTE, Math.ceil(memory / 4));
}

// The kernel counts a process's own limit by ticks, a fifth more than was used on a busy host; the sums,
// which decide, go by the clock.
const TICKS_ASTRAY = 1.25;

// The launcher counts too, where it runs under the same real uid.
function taskLimit(nproc: number, confinement: Confinement): number {
  const isApart = (confinement.flags & SpecFlag.reaperByUid) !== 0;
  return nproc === 0 ? NO_LIMIT : isApart ? nproc : nproc + 1;
}

/** What the limits of a call mean in such a jail. */
export function nativeLimits(limits: Limits, confinement: Confinement): NativeLimits {
  return {
    cpuMicroseconds: limits.cpu === 0 ? NO_LIMIT : Math.round(limits.cpu * 1e6),
    rlimitCpuSeconds: limits.cpu === 0 ? NO_LIMIT : Math.ceil(limits.cpu * TICKS_ASTRAY),
    rlimitAs: orNone(limits.vmem),
    rlimitData: dataLimit(limits.memory),
    rlimitFsize: limits.fsize,
    rlimitNproc: taskLimit(limits.nproc, confinement),
    rlimitNofile: MAX_OPEN_FILES,
    memoryBytes: orNone(limits.memory),
  };
}
