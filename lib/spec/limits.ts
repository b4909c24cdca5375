// The limits of a call, as the native half takes them.
import type { Confinement } from '../confinement/plan';
import { memoryWall, type Limits } from '../limits';
import { SpecFlag, type NativeSpec } from '../native/addon';

/** How the native half spells that there is none. */
export const NO_LIMIT = -1;

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
  | 'rlimitStack'
  | 'memoryBytes'
>;

function orNone(limit: number): number {
  return limit === 0 ? NO_LIMIT : limit;
}

function dataLimit(memory: number): number {
  return memory === 0 ? NO_LIMIT : memoryWall(memory);
}

// The kernel counts a process's own limit by ticks, a fifth more than was used on a busy host; the sums,
// which decide, go by the clock.
const TICKS_ASTRAY = 1.25;

// The launcher counts too, where it runs under the same real uid.
function taskLimit(nproc: number, confinement: Confinement): number {
  const isApart = (confinement.flags & SpecFlag.reaperByUid) !== 0;
  return nproc === 0 ? NO_LIMIT : isApart ? nproc : nproc + 1;
}

// What is larger than `memory` would be a promise that the sums do not keep.
function stackLimit({ stack, memory }: Limits): number {
  const most = orNone(memory);
  return stack === 0 ? most : memory === 0 ? stack : Math.min(stack, memory);
}

/** What the limits of a call mean in such a jail. */
export function nativeLimits(limits: Limits, confinement: Confinement): NativeLimits {
  const cpu = limits.cpu + limits.extraTime;
  return {
    cpuMicroseconds: limits.cpu === 0 ? NO_LIMIT : Math.round(cpu * 1e6),
    rlimitCpuSeconds: limits.cpu === 0 ? NO_LIMIT : Math.ceil(cpu * TICKS_ASTRAY),
    rlimitAs: orNone(limits.vmem),
    rlimitData: dataLimit(limits.memory),
    rlimitFsize: limits.fsize,
    rlimitNproc: taskLimit(limits.nproc, confinement),
    rlimitNofile: orNone(limits.openFiles),
    rlimitStack: stackLimit(limits),
    memoryBytes: orNone(limits.memory),
  };
}
