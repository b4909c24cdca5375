// Which jails are looked at, and what they have now.
import { InvalidArgumentError, stats, type JailStatistics } from '../index';
import type { Labels, StatsMetric } from './metrics';

/** Whoever has statistics: a jail. */
export interface Watched {
  /** What it has done, and has now. */
  stats(): JailStatistics;
}

/** Jails, by the name that the label `jail` gives them. */
export type Jails = Readonly<Record<string, Watched>>;

/** One value of a metric. */
export interface Reading {
  metric: StatsMetric;
  value: number;
  labels: Labels;
}

/**
 * The jails that an option names; without one, the default jail, as `default`.
 * @throws InvalidArgumentError
 */
export function checkedJails(jails: Jails | undefined, argument: string): Jails {
  if (jails === undefined) {
    return { default: { stats } };
  }
  for (const [name, jail] of Object.entries(jails) as [string, Partial<Watched> | null][]) {
    if (typeof jail?.stats !== 'function') {
      throw new InvalidArgumentError(
        `${argument}[${JSON.stringify(name)}]`,
        'must be a jail, as createJail makes it',
      );
    }
  }
  return { ...jails };
}

function* readingsOfJail(jail: string, { queue, pools }: JailStatistics): Generator<Reading> {
  const labels = { jail };
  yield { metric: 'running', value: queue.running, labels };
  yield { metric: 'maxRunning', value: queue.maxRunning, labels };
  yield { metric: 'waiting', value: queue.waiting, labels };
  yield { metric: 'maxQueue', value: queue.maxQueue, labels };
  yield { metric: 'longestWait', value: queue.longestWaitMs / 1000, labels };
  yield { metric: 'abandoned', value: queue.abandoned, labels };
  for (const [reason, value] of Object.entries(queue.refused)) {
    yield { metric: 'refused', value, labels: { jail, reason } };
  }
  for (const [command, pool] of Object.entries(pools)) {
    const own = { jail, command };
    yield { metric: 'poolReady', value: pool.state === 'ready' ? 1 : 0, labels: own };
    yield { metric: 'poolCells', value: pool.cellsReady, labels: { ...own, state: 'ready' } };
    yield { metric: 'poolCells', value: pool.cellsRunning, labels: { ...own, state: 'running' } };
    yield { metric: 'poolCells', value: pool.cellsMaking, labels: { ...own, state: 'making' } };
    yield { metric: 'poolWaiting', value: pool.waiting, labels: own };
    yield { metric: 'poolMemory', value: pool.templateBytes, labels: own };
  }
}

/** All that the jails have now. */
export function* readJails(jails: Jails): Generator<Reading> {
  let process: JailStatistics['queue']['process'] | undefined;
  for (const [name, jail] of Object.entries(jails)) {
    const statistics = jail.stats();
    ({ process } = statistics.queue);
    yield* readingsOfJail(name, statistics);
  }
  if (process !== undefined) {
    yield { metric: 'processRunning', value: process.running, labels: {} };
    yield { metric: 'processMaxRunning', value: process.maxRunning, labels: {} };
  }
}
