// Metrics and spans of calls that are made.
import { context, trace } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { createJail } from '../../lib/index';
import { instrument } from '../../lib/observability/opentelemetry';
import { collectMetrics } from '../../lib/observability/prometheus';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';
import { AsyncContexts, KeptMetrics, KeptSpans } from '../support/telemetry';

const suite = useSuite();
watchLeftovers();
beforeEach(async () => suite.ready());

let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

it('counts calls by their outcome, and what their programs used', async () => {
  const register = new Registry();
  ends.push(collectMetrics({ register, jails: { grader: suite.jail } }));
  await suite.python('print(1)');
  await suite.python('while True: pass', { limits: { cpu: 0.2 } });
  const { values: calls } = await register.getSingleMetric('codejail_call_duration_seconds')!.get();
  const ofOutcome = (outcome: string) =>
    calls
      .filter((value) => 'metricName' in value && String(value.metricName).endsWith('_count'))
      .filter(({ labels }) => labels['outcome'] === outcome)
      .map(({ value }) => value);
  expect(ofOutcome('exited')).toEqual([1]);
  expect(ofOutcome('cpu-limit')).toEqual([1]);
  const cpu = await register.getSingleMetric('codejail_call_cpu_seconds_total')!.get();
  expect(cpu.values[0]!.value).toBeGreaterThan(0.2);
  const text = await register.metrics();
  expect(text).toContain('codejail_queue_running{jail="grader"} 0');
});

it('counts a call that was refused, and shows those that run', async () => {
  const register = new Registry();
  await using jail = createJail({
    commands: { python: 'python3' },
    maxRunning: 1,
    maxQueue: 0,
    limits: { realtime: 60 },
  });
  ends.push(collectMetrics({ register, jails: { small: jail } }));
  const controller = new AbortController();
  const code = 'import time; time.sleep(60)';
  const running = jail.jailCode('python', { code, signal: controller.signal });
  await expect(jail.jailCode('python', { code })).rejects.toMatchObject({
    code: 'ERR_CODEJAIL_BUSY',
  });
  const text = await register.metrics();
  controller.abort();
  await expect(running).rejects.toThrow();
  expect(text).toContain('codejail_queue_running{jail="small"} 1');
  expect(text).toContain('codejail_queue_refused_total{jail="small",reason="queue-full"} 1');
});

describe('spans', () => {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncContexts());
  });
  afterAll(() => {
    context.disable();
  });

  it('are below the one that is active where the call is made, also where calls overlap', async () => {
    const provider = new KeptSpans();
    ends.push(instrument({ tracerProvider: provider, meterProvider: new KeptMetrics() }));
    const request = async (slug: string) => {
      const parent = provider.getTracer().startSpan(slug, { startTime: 0 });
      await context.with(trace.setSpan(context.active(), parent), async () =>
        suite.jail.safeExec('pass', {}, { slug }),
      );
      return [slug, parent.spanContext().spanId];
    };
    const parents = await Promise.all(['a', 'b', 'c'].map(request));
    const calls = provider.spans.filter(({ name }) => name === 'codejail.call');
    expect(
      calls.map(({ attributes, parent }) => [attributes['codejail.slug'], parent]).sort(),
    ).toEqual(parents);
    for (const { start, end, id } of calls) {
      const run = provider.spans.find(
        ({ name, parent }) => name === 'codejail.run' && parent === id,
      )!;
      expect(run.start).toBeGreaterThanOrEqual(start);
      expect(run.end).toBeLessThanOrEqual(end!);
    }
  });
});

it('tells a logger with methods of a run that has a slug', async () => {
  const entries: [object, string][] = [];
  const keep = (fields: object, message: string): void => {
    entries.push([fields, message]);
  };
  await using jail = createJail({
    commands: { python: 'python3' },
    logger: { info: keep, warn: keep },
    limits: { realtime: 20 },
  });
  await jail.jailCode('python', { code: 'pass', slug: 'problem 7' });
  await jail.jailCode('python', { code: 'pass' });
  const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  await jail.notSafeExec('', {}, { slug: 'problem 8' });
  warning.mockRestore();
  expect(entries[0]![0]).toEqual({ slug: 'problem 7', command: 'python' });
  expect(entries[0]![1]).toMatch(/^[^:]* in \/tmp\/codejail-\w{8}/);
  expect(entries).toHaveLength(2);
  expect(entries[1]).toEqual([
    { slug: 'problem 8', command: 'python' },
    expect.stringMatching(/^DANGER/),
  ]);
});
