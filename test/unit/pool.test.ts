import { setImmediate as turn } from 'node:timers/promises';
import type { RunResult } from '../../lib/run/conclusion';
import { LimitTable } from '../../lib/limits';
import { parseWarm, type WarmOptions } from '../../lib/options/warm';
import { PLAIN_CALL } from '../../lib/spec/call';
import type { WarmCall } from '../../lib/warm/cell';
import { Pool } from '../../lib/warm/pool';
import type { PoolEvent } from '../../lib/warm/pool-statistics';
import { Deferred, FakeTemplate, type FakeCell } from '../support/fake-template';

const LIMITS = new LimitTable().effective();
/** The processor that the server runs on. */
const HERE = 0;
const RESULT = { channel: Buffer.alloc(0) } as RunResult;

/** A pool of fakes, with what it was given. */
class Bench {
  readonly templates: FakeTemplate[] = [];
  readonly events: PoolEvent[] = [];
  limits = { disk: LIMITS.disk, files: LIMITS.files };
  isShort = false;
  /** Its clock. */
  milliseconds = 1000;
  startFailure: Error | undefined;
  readonly pool: Pool;
  /** While it is open, a template that starts makes no cell. */
  gateOfNext: Promise<void> | undefined;

  constructor(options: WarmOptions = {}, processors = 2) {
    const warm = parseWarm({ size: 2, ...options }, 'warm');
    if (warm === false) throw new Error('not warm');
    this.pool = new Pool({
      warm,
      processors,
      limits: () => this.limits,
      gauge: { isShort: () => this.isShort },
      currentProcessor: () => HERE,
      now: () => this.milliseconds,
      startTemplate: async () => {
        // A cold start that takes its time: then waiting is worth while.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (this.startFailure !== undefined) throw this.startFailure;
        const template = new FakeTemplate();
        template.gate = this.gateOfNext;
        this.templates.push(template);
        return template;
      },
      onEvent: (event) => this.events.push(event),
    });
  }

  get template(): FakeTemplate {
    return this.templates.at(-1)!;
  }

  async run(more: Partial<WarmCall> = {}): Promise<unknown> {
    return this.pool.run({ ...PLAIN_CALL, limits: LIMITS, ...more }, 0);
  }
}

async function settle(): Promise<void> {
  for (let count = 0; count < 10; count += 1) {
    await turn();
  }
}

async function warmBench(options: WarmOptions = {}, processors = 2): Promise<Bench> {
  const bench = new Bench(options, processors);
  await bench.pool.warmUp();
  return bench;
}

function servedBy(cells: readonly FakeCell[]): FakeCell[] {
  return cells.filter(({ calls }) => calls.length > 0);
}

describe('a pool', () => {
  it('starts nothing before it is asked', async () => {
    const bench = new Bench();
    await settle();
    expect(bench.templates).toHaveLength(0);
    expect(bench.pool.stats().state).toBe('stopped');
  });

  it('stands, full, when warmUp resolves', async () => {
    const bench = await warmBench({ size: 5 });
    expect(bench.pool.stats()).toMatchObject({ state: 'ready', cellsReady: 5, cellsMade: 5 });
  });

  it('gives a waiting cell to a call, and makes another when the call has ended', async () => {
    const bench = await warmBench();
    const running = bench.run();
    await settle();
    const [cell] = servedBy(bench.template.cells);
    expect(bench.pool.stats()).toMatchObject({ cellsRunning: 1, cellsReady: 1, cellsMade: 2 });
    cell!.finish.resolve(RESULT);
    expect(await running).toBe(RESULT);
    await settle();
    expect(bench.pool.stats()).toMatchObject({ cellsRunning: 0, cellsReady: 2, cellsMade: 3 });
  });

  it('announces a call to the cell that will be given it, the newest one', async () => {
    const bench = await warmBench({ size: 3 });
    bench.pool.announce();
    void bench.run();
    await settle();
    expect(bench.template.cells.map(({ announcements }) => announcements)).toEqual([0, 0, 1]);
    expect(servedBy(bench.template.cells)).toEqual([bench.template.cells[2]]);
  });

  it('gives a call that is announced a cell on another processor, where there is one', async () => {
    const bench = await warmBench({ size: 3 });
    const [first, second, third] = bench.template.cells;
    [first!.processor, second!.processor, third!.processor] = [1, 1, HERE];
    bench.pool.announce();
    void bench.run();
    await settle();
    expect([first, second, third].map((cell) => cell!.announcements)).toEqual([0, 1, 0]);
    expect(servedBy(bench.template.cells)).toEqual([second]);
    void bench.run();
    await settle();
    expect(servedBy(bench.template.cells)).toEqual([first, second]);
  });

  it('announces none while calls run, or just after one has run or was announced, since a processor is awake', async () => {
    const bench = await warmBench({ size: 3 });
    const announced = (): number =>
      bench.template.cells.reduce((total, { announcements }) => total + announcements, 0);
    const running = bench.run();
    await settle();
    expect(bench.pool.announce()).toBe(false);
    expect(announced()).toBe(0);
    servedBy(bench.template.cells)[0]!.finish.resolve(RESULT);
    await running;
    expect(bench.pool.announce()).toBe(false);
    expect(announced()).toBe(0);
    bench.milliseconds += 10;
    expect(bench.pool.announce()).toBe(true);
    expect(announced()).toBe(1);
    expect(bench.pool.announce()).toBe(false);
    expect(announced()).toBe(1);
    bench.milliseconds += 10;
    expect(bench.pool.announce()).toBe(true);
    expect(announced()).toBe(2);
  });

  it('announces none where there is one processor, none waits, or it is closed', async () => {
    const alone = await warmBench({}, 1);
    alone.pool.announce();
    expect(alone.template.cells.map(({ announcements }) => announcements)).toEqual([0, 0]);
    const stopped = new Bench();
    stopped.pool.announce();
    expect(stopped.templates).toHaveLength(0);
    const closed = await warmBench();
    await closed.pool.close();
    closed.pool.announce();
    expect(closed.template.cells.map(({ announcements }) => announcements)).toEqual([0, 0]);
  });

  it('makes more while calls run where fewer than the low water wait', async () => {
    const bench = await warmBench({ size: 4, lowWater: 3 });
    void bench.run();
    await settle();
    expect(bench.pool.stats().cellsReady).toBe(3);
    void bench.run();
    await settle();
    expect(bench.pool.stats()).toMatchObject({ cellsRunning: 2, cellsReady: 4 });
  });

  it('gives each cell one call only', async () => {
    const bench = await warmBench();
    for (let count = 0; count < 5; count += 1) {
      const running = bench.run();
      await settle();
      servedBy(bench.template.cells).at(-1)!.finish.resolve(RESULT);
      await running;
      await settle();
    }
    expect(bench.template.cells.map(({ calls }) => calls.length).sort()).toEqual([
      0, 0, 1, 1, 1, 1, 1,
    ]);
  });

  it('makes no cell that no call waits for while memory is short', async () => {
    const bench = await warmBench({ size: 1 });
    bench.isShort = true;
    void bench.run();
    await settle();
    expect(bench.pool.stats()).toMatchObject({ cellsReady: 0, cellsMaking: 0 });
    void bench.run();
    await settle();
    expect(servedBy(bench.template.cells)).toHaveLength(2);
    expect(bench.pool.stats().cellsReady).toBe(0);
  });

  it('throws cells away whose limits are no longer the jail’s', async () => {
    const bench = await warmBench();
    const old = [...bench.template.cells];
    bench.limits = { disk: 1, files: 1 };
    void bench.run({ limits: { ...LIMITS, disk: 1, files: 1 } });
    await settle();
    expect(old.every(({ isDiscarded }) => isDiscarded)).toBe(true);
    expect(servedBy(bench.template.cells).map(({ limits }) => limits)).toEqual([bench.limits]);
  });
});

describe('a call without a waiting cell', () => {
  it('goes cold while the template starts, and the next one is warm', async () => {
    const bench = new Bench();
    expect(await bench.run()).toBe('starting');
    expect(await bench.run()).toBe('starting');
    await bench.pool.warmUp();
    expect(bench.templates).toHaveLength(1);
    void bench.run();
    await settle();
    expect(servedBy(bench.template.cells)).toHaveLength(1);
  });

  it('waits, and calls are served in order', async () => {
    const bench = await warmBench({ size: 1 });
    const gate = new Deferred();
    bench.template.gate = gate.promise;
    for (const argv of [['first'], ['second'], ['third']]) {
      void bench.run({ argv });
    }
    await settle();
    expect(bench.pool.stats().waiting).toBe(2);
    gate.resolve();
    await settle();
    expect(servedBy(bench.template.cells).map(({ calls }) => calls[0]!.argv[0])).toEqual([
      'first',
      'second',
      'third',
    ]);
  });

  it('hurries cells that calls take faster than they are made', async () => {
    const bench = await warmBench({ size: 4, lowWater: 2 });
    const made = bench.template.urgent.length;
    expect(bench.template.urgent).toEqual([false, false, false, false]);
    for (const argv of [['first'], ['second'], ['third']]) {
      void bench.run({ argv });
    }
    await settle();
    // One is left: the second to come makes the low water full.
    expect(bench.template.urgent.slice(made, made + 2)).toEqual([true, false]);
  });

  it('hurries cells that calls wait for, and no others', async () => {
    const bench = await warmBench({ size: 1 });
    bench.isShort = true;
    for (const argv of [['first'], ['second'], ['third']]) {
      void bench.run({ argv });
    }
    await settle();
    bench.isShort = false;
    for (const cell of servedBy(bench.template.cells)) {
      cell.finish.resolve(RESULT);
    }
    await settle();
    expect(bench.pool.stats()).toMatchObject({ waiting: 0, cellsReady: 1, cellsMade: 4 });
    expect(bench.template.urgent).toEqual([false, true, true, false]);
  });

  it('goes cold where as many wait as may', async () => {
    const bench = await warmBench({ size: 1, maxWaiting: 2 });
    bench.template.gate = new Promise(() => undefined);
    void bench.run();
    const waiting = [bench.run(), bench.run()];
    expect(await bench.run()).toBe('queue-full');
    // Nothing comes: those that wait are not left waiting for ever.
    expect(await Promise.all(waiting)).toEqual(['waited-too-long', 'waited-too-long']);
  });

  it('rejects with the signal’s reason when it is aborted while it waits, and takes no cell', async () => {
    const bench = await warmBench({ size: 1 });
    const gate = new Deferred();
    bench.template.gate = gate.promise;
    void bench.run();
    const controller = new AbortController();
    const waiting = bench.run({ signals: [controller.signal] });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(bench.pool.stats().waiting).toBe(0);
    gate.resolve();
    await settle();
    expect(servedBy(bench.template.cells)).toHaveLength(1);
    expect(bench.pool.stats().cellsReady).toBe(1);
  });
});

describe('what dies', () => {
  it('a waiting cell: it is replaced', async () => {
    const bench = await warmBench();
    bench.template.cells[0]!.die();
    await settle();
    expect(bench.pool.stats()).toMatchObject({ cellsReady: 2, cellsLost: 1 });
  });

  it('a cell that was just taken: the call goes on in another one', async () => {
    const bench = await warmBench();
    bench.template.cells[0]!.isDead = true;
    const running = bench.run();
    await settle();
    servedBy(bench.template.cells)[0]!.finish.resolve(RESULT);
    expect(await running).toBe(RESULT);
    expect(bench.pool.stats().cellsLost).toBe(1);
  });

  it('one cell after the other: the call goes cold', async () => {
    const bench = await warmBench({ size: 4 });
    for (const cell of bench.template.cells) {
      cell.isDead = true;
    }
    expect(await bench.run()).toBe('cells-lost');
  });

  it('an old template: another one is started at once, and calls go cold meanwhile', async () => {
    const bench = await warmBench();
    bench.template.startedAt -= 20_000;
    bench.template.die();
    await settle();
    expect(await bench.run()).toBe('starting');
    await bench.pool.warmUp();
    expect(bench.templates).toHaveLength(2);
    expect(bench.pool.stats()).toMatchObject({ cellsReady: 2, templateStarts: 2 });
    expect(Object.values(bench.pool.stats().templateRestarts)).toEqual([1]);
  });

  it('a young template: none is started for a while, so that a broken one costs no CPU', async () => {
    const bench = await warmBench();
    bench.template.die();
    await settle();
    expect(await bench.run()).toBe('failed');
    expect(bench.templates).toHaveLength(1);
    expect(bench.pool.stats().state).toBe('failed');
  });

  it('a template that calls wait for: they go cold', async () => {
    const bench = await warmBench({ size: 1 });
    bench.template.gate = new Promise(() => undefined);
    void bench.run();
    const waiting = [bench.run(), bench.run()];
    await settle();
    bench.template.die();
    expect(await Promise.all(waiting)).toEqual(['failed', 'failed']);
  });

  it('keeps a template whose only cell was just given to a call that waited', async () => {
    const bench = await warmBench({ size: 1 });
    const first = bench.template;
    let open: () => void = () => undefined;
    first.gate = new Promise((resolve) => (open = resolve));
    const served = bench.run();
    await settle();
    const waiting = bench.run();
    await settle();
    // It is replaced while the cell is being made, by one that has none yet.
    bench.gateOfNext = new Promise(() => undefined);
    first.cellsMade += 100;
    first.bytes = 2 ** 40;
    servedBy(first.cells)[0]!.finish.resolve(RESULT);
    await served;
    await new Promise((resolve) => setTimeout(resolve, 60));
    open();
    await settle();
    const cell = servedBy(first.cells).at(-1)!;
    expect(first.isClosed).toBe(false);
    cell.finish.resolve(RESULT);
    expect(await waiting).toBe(RESULT);
    await settle();
    expect(first.isClosed).toBe(true);
  });

  it('a template that can make no cells: it is given up after a few attempts', async () => {
    const bench = await warmBench({ size: 1 });
    bench.template.failure = new Error('no');
    void bench.run();
    await settle();
    for (let count = 0; count < 5; count += 1) {
      expect(await bench.run()).toBe('failed');
    }
    expect(bench.pool.stats().state).toBe('failed');
  });

  it('a start: warmUp rejects with what was the matter, and calls go cold', async () => {
    const bench = new Bench();
    bench.startFailure = new Error('no such module');
    await expect(bench.pool.warmUp()).rejects.toThrow('no such module');
    expect(await bench.run()).toBe('failed');
    bench.startFailure = undefined;
    await bench.pool.warmUp();
    expect(bench.pool.stats().state).toBe('ready');
  });
});

describe('a template that is due', () => {
  it.each([
    ['has made its number of cells', { recycleCells: 3 }, () => undefined, 'cells'],
    [
      'is old',
      { recycleSeconds: 10 },
      (template: FakeTemplate) => {
        template.startedAt -= 11_000;
      },
      'age',
    ],
    [
      'has grown',
      { recycleGrowth: 1024 * 1024 },
      (template: FakeTemplate) => {
        template.cellsMade += 100;
        template.bytes += 2 * 1024 * 1024;
      },
      'growth',
    ],
  ])(
    'because it %s is replaced, and no call fails or goes cold',
    async (_why, options, age, reason) => {
      const bench = await warmBench(options);
      const [first] = bench.templates;
      const longCall = bench.run();
      await settle();
      const [longCell] = servedBy(first!.cells);
      age(first!);
      const results = [];
      for (let count = 0; count < 10; count += 1) {
        const running = bench.run();
        await settle();
        for (const { cells } of bench.templates) {
          for (const cell of servedBy(cells).filter((cell) => cell !== longCell)) {
            cell.finish.resolve(RESULT);
          }
        }
        results.push(await running);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(results).toEqual(results.map(() => RESULT));
      expect(bench.pool.stats().templateRestarts[reason as 'cells']).toBeGreaterThanOrEqual(1);
      // The long call's template lives as long as the call.
      expect(first!.isClosed).toBe(false);
      longCell!.finish.resolve(RESULT);
      expect(await longCall).toBe(RESULT);
      await settle();
      expect(first!.isClosed).toBe(true);
    },
  );

  it('stays while memory is short: a second one would need as much again', async () => {
    const bench = await warmBench({ recycleSeconds: 1 });
    bench.isShort = true;
    bench.template.startedAt -= 2000;
    const running = bench.run();
    await settle();
    servedBy(bench.template.cells)[0]!.finish.resolve(RESULT);
    await running;
    await settle();
    expect(bench.templates).toHaveLength(1);
  });
});

describe('close', () => {
  it('ends the template and every waiting cell, after the running calls', async () => {
    const bench = await warmBench();
    const running = bench.run();
    await settle();
    const closing = bench.pool.close();
    await settle();
    expect(bench.template.isClosed).toBe(false);
    expect(bench.template.waitingCells).toHaveLength(0);
    servedBy(bench.template.cells)[0]!.finish.resolve(RESULT);
    expect(await running).toBe(RESULT);
    await closing;
    expect(bench.template.isClosed).toBe(true);
    expect(bench.pool.stats()).toMatchObject({ state: 'closed', cellsReady: 0, cellsRunning: 0 });
  });

  it('ends a template that was still starting', async () => {
    const bench = new Bench();
    const warming = bench.pool.warmUp();
    await bench.pool.close();
    await warming;
    expect(bench.template.isClosed).toBe(true);
  });

  it('starts no template afterwards', async () => {
    const bench = new Bench();
    await bench.pool.close();
    expect(await bench.pool.warmUp()).toBe('closed');
    expect(bench.templates).toEqual([]);
  });

  it('sends waiting and later calls to the cold path', async () => {
    const bench = await warmBench({ size: 1 });
    bench.template.gate = new Promise(() => undefined);
    const running = bench.run();
    const waiting = bench.run();
    await settle();
    void bench.pool.close();
    expect(await waiting).toBe('closed');
    expect(await bench.run()).toBe('closed');
    servedBy(bench.template.cells)[0]!.finish.resolve(RESULT);
    await running;
  });
});

it('tells what happens', async () => {
  const bench = await warmBench({ size: 1 });
  bench.template.die();
  await settle();
  expect(bench.events.map(({ type }) => type)).toEqual([
    'template-started',
    'cell-made',
    'cell-lost',
    'template-ended',
  ]);
});
