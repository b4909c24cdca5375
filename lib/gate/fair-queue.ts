// What waits, in order, and fairly between tenants: each tenant has a line of its own, and they take turns.
import { Line, type Standing } from './line';

/** What waits in a queue; in one at a time. */
export interface Queued<T> extends Standing<T> {
  /** Whose it is; undefined: nobody's in particular, who take turns as one more tenant. */
  readonly tenant: string | undefined;
}

/** One tenant's line; there is one only while something of the tenant's waits. */
class TenantLine<T extends Queued<T>> implements Standing<TenantLine<T>> {
  ahead: TenantLine<T> | undefined;
  behind: TenantLine<T> | undefined;
  readonly line = new Line<T>();

  constructor(readonly tenant: string | undefined) {}
}

/** How much of one tenant's waits. */
export interface TenantShare {
  /** The option `tenant` of its calls; null: calls without one. */
  tenant: string | null;
  /** How many of its calls wait. */
  waiting: number;
}

/**
 * A queue that serves its tenants in turn, and each one's in order. Every step takes the same time, however many wait,
 * and nothing is kept of a tenant of whose nothing waits.
 */
export class FairQueue<T extends Queued<T>> {
  readonly #tenants = new Map<string | undefined, TenantLine<T>>();
  /** In the order in which it is their turn. */
  readonly #turns = new Line<TenantLine<T>>();
  /** Tenants by how much of theirs waits. */
  readonly #bySize = new Map<number, Set<TenantLine<T>>>();
  #longest = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many tenants have something waiting. */
  get tenants(): number {
    return this.#tenants.size;
  }

  /** How much of this tenant's waits. */
  sizeOf(tenant: string | undefined): number {
    return this.#tenants.get(tenant)?.line.size ?? 0;
  }

  /** Waits behind what else this tenant has waiting. */
  join(entry: T): void {
    let own = this.#tenants.get(entry.tenant);
    if (own === undefined) {
      own = new TenantLine<T>(entry.tenant);
      this.#tenants.set(entry.tenant, own);
      this.#turns.join(own);
    }
    own.line.join(entry);
    this.#size += 1;
    this.#rank(own, own.line.size - 1);
  }

  /** Takes the first of the tenant whose turn it is, where something waits. */
  take(): T | undefined {
    const next = this.#turns.first;
    const entry = next?.line.first;
    if (next !== undefined && entry !== undefined) {
      this.#turns.leave(next);
      this.#turns.join(next);
      this.leave(entry);
    }
    return entry;
  }

  /** Gives up; to be called for what waits here. */
  leave(entry: T): void {
    const own = this.#tenants.get(entry.tenant);
    if (own === undefined) {
      throw new TypeError('it does not wait here');
    }
    own.line.leave(entry);
    this.#size -= 1;
    this.#rank(own, own.line.size + 1);
    if (own.line.size === 0) {
      this.#tenants.delete(entry.tenant);
      this.#turns.leave(own);
    }
  }

  /**
   * What has to make room for one more of this tenant's where there is no other room: the newest of who has most waiting,
   * if that leaves it with no less than the tenant then has.
   */
  yielding(tenant: string | undefined): T | undefined {
    if (this.sizeOf(tenant) + 1 >= this.#longest) {
      return undefined;
    }
    const [greatest] = this.#bySize.get(this.#longest) ?? [];
    return greatest?.line.last;
  }

  /** What has waited longest; undefined where there is none. Looks at each tenant. */
  oldest(olderOf: (one: T, other: T) => T): T | undefined {
    let oldest: T | undefined;
    for (const { line } of this.#turns) {
      if (line.first !== undefined) {
        oldest = oldest === undefined ? line.first : olderOf(oldest, line.first);
      }
    }
    return oldest;
  }

  /** The tenants of whose most waits, at most so many. */
  greatest(atMost: number): TenantShare[] {
    const found: TenantShare[] = [];
    const sizes = [...this.#bySize.keys()].sort((one, other) => other - one);
    for (const waiting of sizes) {
      for (const { tenant } of this.#bySize.get(waiting) ?? []) {
        if (found.length === atMost) {
          return found;
        }
        found.push({ tenant: tenant ?? null, waiting });
      }
    }
    return found;
  }

  /** Everything that waits, in the order in which it would be taken. Afterwards nothing waits. */
  empty(): T[] {
    const all: T[] = [];
    for (let entry = this.take(); entry !== undefined; entry = this.take()) {
      all.push(entry);
    }
    return all;
  }

  #rank(own: TenantLine<T>, before: number): void {
    const after = own.line.size;
    const former = this.#bySize.get(before);
    const same = this.#bySize.get(after);
    if (former?.size === 1) {
      this.#bySize.delete(before);
    }
    if (after > 0 && same === undefined && former?.size === 1) {
      // As a rule, there being one tenant.
      this.#bySize.set(after, former);
    } else {
      former?.delete(own);
      if (after > 0) {
        this.#bySize.set(after, same?.add(own) ?? new Set([own]));
      }
    }
    if (after > this.#longest || (before === this.#longest && !this.#bySize.has(before))) {
      this.#longest = after;
    }
  }
}
