import { FairQueue, type Queued } from '../../lib/gate/fair-queue';
import { Random } from '../support/random';

class Entry implements Queued<Entry> {
  ahead: Entry | undefined;
  behind: Entry | undefined;

  constructor(
    readonly tenant: string | undefined,
    readonly number: number,
  ) {}
}

let number = 0;

function join(queue: FairQueue<Entry>, tenant: string | undefined, count = 1): Entry[] {
  return Array.from({ length: count }, () => {
    const entry = new Entry(tenant, (number += 1));
    queue.join(entry);
    return entry;
  });
}

function takeAll(queue: FairQueue<Entry>): Entry[] {
  return queue.empty();
}

describe('a queue', () => {
  it('gives nothing where nothing waits', () => {
    const queue = new FairQueue<Entry>();
    expect(queue.take()).toBeUndefined();
    expect(queue.oldest((one) => one)).toBeUndefined();
    expect(queue.yielding('a')).toBeUndefined();
  });

  it('serves one tenant in order', () => {
    const queue = new FairQueue<Entry>();
    const entries = join(queue, undefined, 5);
    expect(takeAll(queue)).toEqual(entries);
    expect(queue.size).toBe(0);
  });

  it('serves tenants in turn, and each in order', () => {
    const queue = new FairQueue<Entry>();
    const [a1, a2, a3] = join(queue, 'a', 3);
    const [b1] = join(queue, 'b');
    const [n1, n2] = join(queue, undefined, 2);
    expect(takeAll(queue)).toEqual([a1, b1, n1, a2, n2, a3]);
  });

  it("does not delay a tenant's first by another's thousand", () => {
    const queue = new FairQueue<Entry>();
    join(queue, 'many', 1000);
    queue.take();
    const [first] = join(queue, 'one');
    const next = [queue.take(), queue.take()];
    expect(next).toContain(first);
  });

  it('gives a tenant no turn sooner for leaving and joining again', () => {
    const queue = new FairQueue<Entry>();
    const [a1] = join(queue, 'a', 2);
    const [b1] = join(queue, 'b');
    expect(queue.take()).toBe(a1);
    join(queue, 'a');
    expect(queue.take()).toBe(b1);
  });

  it('lets whoever gives up leave, wherever it stands', () => {
    const queue = new FairQueue<Entry>();
    const [a1, a2, a3] = join(queue, 'a', 3) as [Entry, Entry, Entry];
    const [b1] = join(queue, 'b') as [Entry];
    queue.leave(a2);
    queue.leave(b1);
    expect(queue.tenants).toBe(1);
    expect(takeAll(queue)).toEqual([a1, a3]);
    expect(() => {
      queue.leave(b1);
    }).toThrow(TypeError);
  });

  it('knows who has most waiting, and who would yield to whom', () => {
    const queue = new FairQueue<Entry>();
    const many = join(queue, 'many', 3);
    const [few] = join(queue, 'few') as [Entry];
    expect(queue.greatest(10)).toEqual([
      { tenant: 'many', waiting: 3 },
      { tenant: 'few', waiting: 1 },
    ]);
    expect(queue.greatest(1)).toHaveLength(1);
    // To one that has less, also after it has one more: its newest.
    expect(queue.yielding('new')).toBe(many[2]);
    // Both then have two.
    expect(queue.yielding('few')).toBe(many[2]);
    expect(queue.yielding('many')).toBeUndefined();
    queue.leave(many[2] as Entry);
    // It would only be the other way round.
    expect(queue.yielding('few')).toBeUndefined();
    queue.leave(few);
    expect(queue.yielding('new')).toBe(many[1]);
    queue.leave(many[1] as Entry);
    expect(queue.yielding('new')).toBeUndefined();
  });

  it('knows what has waited longest', () => {
    const queue = new FairQueue<Entry>();
    join(queue, 'a', 2);
    const [b1] = join(queue, 'b');
    queue.take();
    expect(queue.oldest((one, other) => (one.number < other.number ? one : other))).not.toBe(b1);
  });
});

describe('any sequence of joins, leaves and takes', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed + 1))(
    'gives what a plain list of lists gives, seed %d',
    (seed) => {
      const random = new Random(seed);
      const queue = new FairQueue<Entry>();
      // The model: tenants in the order of their turns, each with its entries.
      let model: [tenant: string | undefined, entries: Entry[]][] = [];
      for (let step = 0; step < 200; step += 1) {
        const tenant = random.of([undefined, 'a', 'b', 'c']);
        const known = model.find(([name]) => name === tenant);
        switch (random.below(5)) {
          case 0:
          case 1: {
            const [entry] = join(queue, tenant) as [Entry];
            if (known === undefined) model.push([tenant, [entry]]);
            else known[1].push(entry);
            break;
          }
          case 2: {
            const first = model.shift();
            const entry = first?.[1].shift();
            if (first !== undefined && first[1].length > 0) model.push(first);
            expect(queue.take()).toBe(entry);
            break;
          }
          default: {
            const entry = known?.[1][random.below(known[1].length)];
            if (known !== undefined && entry !== undefined) {
              queue.leave(entry);
              known[1].splice(known[1].indexOf(entry), 1);
              model = model.filter(([, entries]) => entries.length > 0);
            }
          }
        }
        const sizes = model.map(([, { length }]) => length);
        const most = Math.max(0, ...sizes);
        expect(queue.size).toBe(sizes.reduce((sum, size) => sum + size, 0));
        expect(queue.tenants).toBe(model.length);
        expect(queue.greatest(1)[0]?.waiting ?? 0).toBe(most);
        const yields = queue.yielding('new');
        expect(yields === undefined).toBe(most < 2);
        if (yields !== undefined) {
          const [, theirs] = model.find(([name]) => name === yields.tenant) ?? [undefined, []];
          expect([theirs.length, theirs.at(-1)]).toEqual([most, yields]);
        }
      }
    },
  );
});
