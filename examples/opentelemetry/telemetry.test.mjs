// What OpenTelemetry's own SDK makes of it. `node --test`
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AggregationTemporality, InMemoryMetricExporter } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { createJail } from 'codejail';
import { grade } from './grade.mjs';
import { startTelemetry } from './telemetry.mjs';

test('spans are below the request, and metrics have their names, units and values', async () => {
  const spans = new InMemorySpanExporter();
  const numbers = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  // One at a time: the second request waits for its turn.
  const jail = createJail({ maxRunning: 1 });
  const stop = startTelemetry(spans, numbers, { grader: jail });
  await Promise.all([
    grade(jail, 'ada', ['a = 1', 'raise ValueError']),
    grade(jail, 'bob', ['a = 2']),
  ]);
  const finished = spans.getFinishedSpans();
  const named = (name) => finished.filter((span) => span.name === name);
  const requests = named('POST /grade');
  const calls = named('codejail.call');
  assert.equal(calls.length, 3);
  for (const { parentSpanContext, attributes } of calls) {
    const isAda = attributes['codejail.slug'] === 'ada';
    const request = requests.find((each) => each.spanContext().spanId === parentSpanContext.spanId);
    assert.equal(
      calls.filter(({ parentSpanContext: other }) => other.spanId === request.spanContext().spanId)
        .length,
      isAda ? 2 : 1,
    );
  }
  assert.equal(named('codejail.run').length, 3);
  assert.ok(named('codejail.queue').length >= 1);

  await stop();
  const metrics = numbers
    .getMetrics()
    .at(-1)
    .scopeMetrics.flatMap((scope) => scope.metrics);
  const metric = (name) => metrics.find(({ descriptor }) => descriptor.name === name);
  const duration = metric('codejail.call.duration');
  assert.equal(duration.descriptor.unit, 's');
  const counts = duration.dataPoints.map(({ attributes, value }) => [
    attributes.outcome,
    value.count,
  ]);
  assert.deepEqual(counts, [['exited', 3]]);
  assert.ok(duration.dataPoints[0].value.buckets.boundaries.includes(0.005));
  assert.deepEqual(
    metric('codejail.queue.max_running').dataPoints.map(({ attributes, value }) => [
      attributes,
      value,
    ]),
    [[{ jail: 'grader' }, 1]],
  );
  await jail.close();
});
