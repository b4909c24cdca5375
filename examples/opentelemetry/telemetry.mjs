// The SDK, as small as it can be; sdk-node has the same and exporters for every backend.
import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { instrument } from 'codejail/opentelemetry';

/**
 * Starts it, and then the instrumentation of codejail.
 * @param {import('@opentelemetry/sdk-trace-base').SpanExporter} spans
 * @param {import('@opentelemetry/sdk-metrics').PushMetricExporter} numbers
 * @param {Record<string, import('codejail').Jail>} jails by the names that metrics give them
 */
export function startTelemetry(spans, numbers, jails) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spans)],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: numbers,
    exportIntervalMillis: 60_000,
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  trace.setGlobalTracerProvider(tracerProvider);
  metrics.setGlobalMeterProvider(meterProvider);
  const stop = instrument({ jails });
  return async () => {
    await reader.forceFlush();
    stop();
    await meterProvider.shutdown();
    await tracerProvider.shutdown();
  };
}
