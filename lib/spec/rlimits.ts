// The limits of setrlimit(2) that a call decides: what of its limits each is.
import type { Confinement } from '../confinement/plan';
import { memoryWall, type Limits } from '../limits';
import { SpecFlag } from '../native/spec';

/** A limit on its way to the launcher; undefined: none. Of what callers pass, that is 0. */
export type Bound = number | undefined;

/** A limit as callers pass it. Not for `fsize`, of which 0 is a limit. */
export function boundOf(limit: number): Bound {
  return limit === 0 ? undefined : limit;
}

// The kernel counts a process's own limit by ticks, a fifth more than was used on a busy host; the sums,
// which decide, go by the clock.
const TICKS_ASTRAY = 1.25;

// The launcher counts too, where it runs under the same real uid.
function launchersBeside({ flags }: Confinement): number {
  return (flags & SpecFlag.reaperByUid) === 0 ? 1 : 0;
}

/** In the order of kRlimits in native/core/rlimits.h, which says how each is set. */
const RLIMITS = {
  RLIMIT_CPU: ({ cpu, extraTime }) =>
    cpu === 0 ? undefined : Math.ceil((cpu + extraTime) * TICKS_ASTRAY),
  RLIMIT_AS: ({ vmem }) => boundOf(vmem),
  RLIMIT_DATA: ({ memory }) => (memory === 0 ? undefined : memoryWall(memory)),
  RLIMIT_FSIZE: ({ fsize }) => fsize,
  RLIMIT_NPROC: ({ nproc }, confinement) =>
    nproc === 0 ? undefined : nproc + launchersBeside(confinement),
  RLIMIT_NOFILE: ({ openFiles }) => boundOf(openFiles),
  // What is larger than `memory` would be a promise that the sums do not keep.
  RLIMIT_STACK: ({ stack, memory }) =>
    boundOf(memory === 0 ? stack : stack === 0 ? memory : Math.min(stack, memory)),
} satisfies Record<string, (limits: Limits, confinement: Confinement) => Bound>;

/** The name of such a limit, as the kernel has it. */
export type RlimitName = keyof typeof RLIMITS;

/** Of each the value. */
export type Rlimits = Readonly<Record<RlimitName, Bound>>;

/** Their names, in the order in which a cell reads their values. */
export const RLIMIT_NAMES = Object.freeze(Object.keys(RLIMITS) as RlimitName[]);

/** What the limits of a call come to in such a jail. */
export function rlimitsOf(limits: Limits, confinement: Confinement): Rlimits {
  const entries = RLIMIT_NAMES.map((name) => [name, RLIMITS[name](limits, confinement)]);
  return Object.fromEntries(entries) as Record<RlimitName, Bound>;
}
