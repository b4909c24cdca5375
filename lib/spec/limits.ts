// The limits of a call, as the native half takes them.
import type { Confinement } from '../confinement/plan';
import type { Limits } from '../limits';
import type * as native from '../native/spec';
import { boundOf, rlimitsOf, type Rlimits } from './rlimits';

/** The limits of a call, as the native half takes them. */
export interface NativeLimits extends native.NativeLimits {
  rlimits: Rlimits;
}

/** The CPU that a program is ended after; undefined where that is never. */
export function cpuMicroseconds({
  cpu,
  extraTime,
}: Pick<Limits, 'cpu' | 'extraTime'>): number | undefined {
  return cpu === 0 ? undefined : Math.round((cpu + extraTime) * 1e6);
}

/** What the limits of a call mean in such a jail. */
export function nativeLimits(limits: Limits, confinement: Confinement): NativeLimits {
  return {
    cpuMicroseconds: cpuMicroseconds(limits),
    memoryBytes: boundOf(limits.memory),
    rlimits: rlimitsOf(limits, confinement),
  };
}
