/**
 * codejail/prometheus: metrics of jails for prom-client, which has to be installed beside codejail.
 * @packageDocumentation
 * @module codejail/prometheus
 */
import type * as PromClient from 'prom-client';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { InvalidArgumentError } from '../index';
import { recordEvents } from './events';
import { checkedJails, readJails, type Jails } from './jails';
import {
  BUCKETS,
  entriesOf,
  EVENT_METRICS,
  prometheusName,
  STATS_METRICS,
  type EventMetric,
  type StatsMetric,
} from './metrics';
import { requirePeer } from './peer';

/** What `collectMetrics` takes. */
export interface PrometheusOptions {
  /** Where the metrics are registered. Default: prom-client's own registry. */
  register?: Registry | undefined;
  /**
   * Jails whose queues and pools are shown, by the name that the label `jail` gives them. What calls took is counted of
   * all jails of the process, named or not. Default: the default jail, as `default`.
   */
  jails?: Jails | undefined;
}

/** Metrics of what happens: each recorded as it does. */
function makeRecorded(client: typeof PromClient, register: Registry) {
  const counters = new Map<EventMetric, Counter>();
  const histograms = new Map<EventMetric, Histogram>();
  for (const [metric, { kind, help, labels, ...rest }] of entriesOf(EVENT_METRICS)) {
    const name = prometheusName({ kind, help, labels, ...rest });
    const options = { name, help, labelNames: labels, registers: [register] };
    if (kind === 'histogram') {
      histograms.set(metric, new client.Histogram({ ...options, buckets: BUCKETS }));
    } else {
      counters.set(metric, new client.Counter(options));
    }
  }
  return recordEvents((metric, value, labels) => {
    counters.get(metric)?.inc(labels, value);
    histograms.get(metric)?.observe(labels, value);
  });
}

/** Metrics of what is: all read together when the first of them is asked for, and again in a later turn. */
function makeRead(client: typeof PromClient, register: Registry, jails: Jails): void {
  const counters = new Map<StatsMetric, Counter>();
  const gauges = new Map<StatsMetric, Gauge>();
  let isFresh = false;
  const collect = (): void => {
    if (isFresh) {
      return;
    }
    isFresh = true;
    queueMicrotask(() => {
      isFresh = false;
    });
    for (const metric of [...counters.values(), ...gauges.values()]) {
      metric.reset();
    }
    for (const { metric, value, labels } of readJails(jails)) {
      counters.get(metric)?.inc(labels, value);
      gauges.get(metric)?.set(labels, value);
    }
  };
  for (const [metric, definition] of entriesOf(STATS_METRICS)) {
    const { kind, help, labels, largest } = definition;
    const name = prometheusName(definition);
    const options = { name, help, labelNames: labels, registers: [register], collect };
    if (kind === 'counter') {
      counters.set(metric, new client.Counter(options));
    } else {
      gauges.set(
        metric,
        new client.Gauge({ ...options, aggregator: largest === true ? 'max' : 'sum' }),
      );
    }
  }
}

const NAMES = [...entriesOf(EVENT_METRICS), ...entriesOf(STATS_METRICS)].map(([, definition]) =>
  prometheusName(definition),
);

/**
 * Registers the metrics of jails with prom-client; docs/observability.md lists them. Durations are in seconds, sizes in bytes.
 * @returns a function that takes them back
 * @throws MissingPackageError where prom-client is not installed; InvalidArgumentError, also where the registry has these
 *   metrics already
 * @example
 * import { register } from 'prom-client';
 * import { createJail } from 'codejail';
 * import { collectMetrics } from 'codejail/prometheus';
 *
 * const stop = collectMetrics({ jails: { grader: createJail() } });
 * const text = await register.metrics(); // for GET /metrics
 * console.log(text.includes('codejail_queue_running{jail="grader"} 0')); // true
 * stop();
 */
export function collectMetrics(options: PrometheusOptions = {}): () => void {
  const jails = checkedJails(options.jails, 'options.jails');
  const client = requirePeer('prom-client', 'codejail/prometheus') as typeof PromClient;
  const register: Registry = options.register ?? client.register;
  if (NAMES.some((name) => register.getSingleMetric(name) !== undefined)) {
    throw new InvalidArgumentError(
      'options.register',
      'has the metrics of codejail already: call first what the earlier collectMetrics has returned, or name another registry',
    );
  }
  const end = makeRecorded(client, register);
  makeRead(client, register, jails);
  return () => {
    end();
    for (const name of NAMES) {
      register.removeSingleMetric(name);
    }
  };
}

export type { Jails, Watched } from './jails';
