/**
 * codejail/opentelemetry: spans and metrics of jails, by `@opentelemetry/api`, which has to be installed beside codejail.
 * @packageDocumentation
 * @module codejail/opentelemetry
 */
import type * as Api from '@opentelemetry/api';
import type {
  Counter,
  Histogram,
  Meter,
  MeterProvider,
  Observable,
  TracerProvider,
} from '@opentelemetry/api';
import { listen, recordEvents } from './events';
import { checkedJails, readJails, type Jails } from './jails';
import {
  BUCKETS,
  entriesOf,
  EVENT_METRICS,
  STATS_METRICS,
  type EventMetric,
  type StatsMetric,
} from './metrics';
import { requirePeer } from './peer';
import { CallSpans } from './spans';

/** What `instrument` takes. */
export interface OpenTelemetryOptions {
  /** Where spans go. Default: the global provider, as the SDK sets it. */
  tracerProvider?: TracerProvider | undefined;
  /** Where metrics go. Default: the global provider. */
  meterProvider?: MeterProvider | undefined;
  /**
   * Jails whose queues and pools are shown, by the name that the attribute `jail` gives them. Calls have spans, and are
   * counted, in all jails of the process, named or not. Default: the default jail, as `default`.
   */
  jails?: Jails | undefined;
}

const NAME = 'codejail';

/** Metrics of what happens: each recorded as it does. */
function record(meter: Meter): () => void {
  const counters = new Map<EventMetric, Counter>();
  const histograms = new Map<EventMetric, Histogram>();
  for (const [metric, { name, kind, unit, help }] of entriesOf(EVENT_METRICS)) {
    const options = { description: help, unit };
    if (kind === 'histogram') {
      const advice = { explicitBucketBoundaries: BUCKETS };
      histograms.set(metric, meter.createHistogram(name, { ...options, advice }));
    } else {
      counters.set(metric, meter.createCounter(name, options));
    }
  }
  return recordEvents((metric, value, labels) => {
    counters.get(metric)?.add(value, labels);
    histograms.get(metric)?.record(value, labels);
  });
}

/** Metrics of what is: all read together when they are asked for. */
function observe(meter: Meter, jails: Jails): () => void {
  const instruments = new Map<StatsMetric, Observable>();
  for (const [metric, { name, kind, unit, help }] of entriesOf(STATS_METRICS)) {
    const options = { description: help, unit };
    instruments.set(
      metric,
      kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableGauge(name, options),
    );
  }
  const all = [...instruments.values()];
  const callback: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const { metric, value, labels } of readJails(jails)) {
      const instrument = instruments.get(metric);
      if (instrument !== undefined) {
        result.observe(instrument, value, labels);
      }
    }
  };
  meter.addBatchObservableCallback(callback, all);
  return () => {
    meter.removeBatchObservableCallback(callback, all);
  };
}

/**
 * Makes a span of each call, below the span that is active where it is made, and metrics of all; docs/observability.md lists
 * both. To be called once the SDK has started: before that, the global providers take nothing.
 * @returns a function that ends it
 * @throws MissingPackageError where `@opentelemetry/api` is not installed; InvalidArgumentError
 * @example
 * import { createJail } from 'codejail';
 * import { instrument } from 'codejail/opentelemetry';
 *
 * // After the SDK has started.
 * const stop = instrument({ jails: { grader: createJail() } });
 * process.once('exit', stop);
 */
export function instrument(options: OpenTelemetryOptions = {}): () => void {
  const jails = checkedJails(options.jails, 'options.jails');
  const api = requirePeer('@opentelemetry/api', 'codejail/opentelemetry') as typeof Api;
  const { tracerProvider = api.trace, meterProvider = api.metrics } = options;
  const meter = meterProvider.getMeter(NAME);
  const spans = new CallSpans(api, tracerProvider.getTracer(NAME));
  const ends = [listen('call', spans.ended), record(meter), observe(meter, jails)];
  return () => {
    for (const end of ends) {
      end();
    }
  };
}

export type { Jails, Watched } from './jails';
