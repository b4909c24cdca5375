// Which uids belong to the jails of this process.
import { InvalidArgumentError } from '../errors';
import type { UidPool } from './plan';

/** How many jails have each pool. */
const pools = new Map<string, { pool: UidPool; jails: number }>();

function lastOf({ first, count }: UidPool): number {
  return first + 2 * count - 1;
}

function overlap(one: UidPool, other: UidPool): boolean {
  return one.first <= lastOf(other) && other.first <= lastOf(one);
}

/**
 * Takes a pool for a jail. Jails share a pool that is the same; of two that overlap, one's launchers would have the
 * uids of the other's programs.
 * @param argument the name of the pool in errors
 * @returns gives it back
 * @throws InvalidArgumentError where it overlaps that of another jail which is not closed
 */
export function takeUidPool(pool: UidPool, argument: string): () => void {
  const key = `${pool.first}:${pool.count}`;
  for (const [otherKey, { pool: other }] of pools) {
    if (otherKey !== key && overlap(pool, other)) {
      throw new InvalidArgumentError(
        argument,
        `takes the user ids ${pool.first} to ${lastOf(pool)} (2 × count), and a jail of this process that is not closed has ` +
          `${other.first} to ${lastOf(other)}: give both the same pool, or pools that do not overlap`,
      );
    }
  }
  const taken = pools.get(key) ?? { pool, jails: 0 };
  pools.set(key, taken);
  taken.jails += 1;
  return () => {
    taken.jails -= 1;
    if (taken.jails === 0) {
      pools.delete(key);
    }
  };
}
