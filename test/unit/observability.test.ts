// The helpers for prom-client and OpenTelemetry, over what the channels tell and what jails have.
import { execFileSync } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import {
  CHANNELS,
  InvalidArgumentError,
  MissingPackageError,
  stats,
  type CallMessage,
  type JailResult,
  type JailStatistics,
} from '../../lib/index';
import {
  entriesOf,
  EVENT_METRICS,
  prometheusName,
  STATS_METRICS,
} from '../../lib/observability/metrics';
import { instrument } from '../../lib/observability/opentelemetry';
import { requirePeer } from '../../lib/observability/peer';
import { collectMetrics } from '../../lib/observability/prometheus';
import { KeptMetrics, KeptSpans } from '../support/telemetry';

const root = join(__dirname, '../..');
const ALL = [...entriesOf(EVENT_METRICS), ...entriesOf(STATS_METRICS)].map(([, metric]) => metric);

const RESULT = {
  ...{ status: 0, signal: null, outcome: 'exited', exceeded: null, confinement: [] },
  ...{ hints: [], attempts: [], collected: [], uncollected: [] },
  stdout: Buffer.from('42\n'),
  stderr: Buffer.alloc(0),
  usage: {
    ...{ wallMs: 30, queuedMs: 0, setupMs: 10, userMs: 20, systemMs: 5, cpuMs: 250 },
    maxRssBytes: 9_000_000,
  },
} satisfies JailResult;

const CALL: CallMessage = {
  command: 'python',
  slug: 'problem 7',
  path: 'cold',
  whyCold: 'files',
  outcome: 'exited',
  result: RESULT,
  error: null,
  milliseconds: 45,
  queuedMs: 0,
};

const POOL: JailStatistics['pools'][string] = {
  ...{ state: 'ready', cellsReady: 4, cellsRunning: 2, cellsMaking: 1, waiting: 3 },
  ...{ cellsMade: 70, cellsLost: 0, refillMs: stats().durations.cold },
  ...{ templateStarts: 1, templateRestarts: {}, templateBytes: 5_000_000 },
};

function statistics(change: Partial<JailStatistics['queue']> = {}): JailStatistics {
  const idle = stats();
  return {
    ...idle,
    queue: {
      ...idle.queue,
      ...{ running: 2, waiting: 5, maxRunning: 8, maxQueue: 100, longestWaitMs: 1500 },
      ...{ refused: { 'queue-full': 9, 'waited-too-long': 1 }, abandoned: 6 },
      process: { running: 3, maxRunning: 16 },
      ...change,
    },
    pools: { python: POOL },
  };
}

/** Everything that can happen, once. */
function happen(): void {
  channel(CHANNELS.call).publish(CALL);
  channel(CHANNELS.queue).publish({
    ...{ type: 'begins', tenant: null, waitedMs: 700, running: 1, waiting: 0 },
  });
  channel(CHANNELS.queue).publish({
    ...{ type: 'waits', tenant: null, waitedMs: 0, running: 1, waiting: 1 },
  });
  channel(CHANNELS.cell).publish({ command: 'python', type: 'cell-made', milliseconds: 7 });
  channel(CHANNELS.cell).publish({ command: 'python', type: 'cell-lost' });
  const template = channel(CHANNELS.template);
  template.publish({
    ...{ command: 'python', type: 'template-started', milliseconds: 90, reason: null },
  });
  template.publish({ command: 'python', type: 'template-failed', error: new Error('no') });
  const ended = { command: 'python', type: 'template-ended', cellsMade: 1, ageMs: 10 };
  template.publish({ ...ended, expected: true });
  template.publish({ ...ended, expected: false });
}

let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

describe('prometheus', () => {
  const collect = (jails = { grader: { stats: () => statistics() } }): Registry => {
    const register = new Registry();
    ends.push(collectMetrics({ register, jails }));
    return register;
  };

  it('has each metric of the table, and no other', () => {
    const names = collect()
      .getMetricsAsArray()
      .map(({ name }) => name);
    expect(names.sort()).toEqual(ALL.map(prometheusName).sort());
  });

  it('counts what happens', async () => {
    const register = collect();
    happen();
    const text = await register.metrics();
    const lines = [
      'codejail_call_duration_seconds_count{command="python",path="cold",outcome="exited"} 1',
      'codejail_call_duration_seconds_sum{command="python",path="cold",outcome="exited"} 0.045',
      'codejail_call_cpu_seconds_total{command="python"} 0.25',
      'codejail_call_cold_total{command="python",reason="files"} 1',
      'codejail_queue_wait_seconds_sum 0.7',
      'codejail_queue_wait_seconds_count 1',
      'codejail_cell_make_seconds_sum{command="python"} 0.007',
      'codejail_cell_lost_total{command="python"} 1',
      'codejail_template_start_seconds_sum{command="python"} 0.09',
      'codejail_template_failures_total{command="python",reason="not-started"} 1',
      'codejail_template_failures_total{command="python",reason="ended"} 1',
    ];
    expect(text.split('\n')).toEqual(expect.arrayContaining(lines));
  });

  it('shows what jails have at the moment', async () => {
    let now = statistics();
    const register = collect({ grader: { stats: () => now } });
    const before = await register.metrics();
    for (const line of [
      'codejail_queue_running{jail="grader"} 2',
      'codejail_queue_max_running{jail="grader"} 8',
      'codejail_queue_waiting{jail="grader"} 5',
      'codejail_queue_max_waiting{jail="grader"} 100',
      'codejail_queue_longest_wait_seconds{jail="grader"} 1.5',
      'codejail_queue_refused_total{jail="grader",reason="queue-full"} 9',
      'codejail_queue_abandoned_total{jail="grader"} 6',
      'codejail_process_running 3',
      'codejail_process_max_running 16',
      'codejail_pool_ready{jail="grader",command="python"} 1',
      'codejail_pool_cells{jail="grader",command="python",state="ready"} 4',
      'codejail_pool_cells{jail="grader",command="python",state="running"} 2',
      'codejail_pool_cells{jail="grader",command="python",state="making"} 1',
      'codejail_pool_waiting{jail="grader",command="python"} 3',
      'codejail_pool_memory_bytes{jail="grader",command="python"} 5000000',
    ]) {
      expect(before.split('\n')).toContain(line);
    }
    now = { ...statistics({ running: 0, waiting: 0 }), pools: {} };
    const after = await register.metrics();
    expect(after).toContain('codejail_queue_running{jail="grader"} 0');
    // Of a pool that is gone.
    expect(after).not.toContain('codejail_pool_cells{');
  });

  it('reads what jails have once for all metrics, and anew for one alone', async () => {
    const read = jest.fn(() => statistics());
    const register = collect({ grader: { stats: read } });
    await register.metrics();
    expect(read).toHaveBeenCalledTimes(1);
    await register.getSingleMetric('codejail_queue_waiting')?.get();
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('shows the default jail where none is named', async () => {
    const register = new Registry();
    ends.push(collectMetrics({ register }));
    expect(await register.metrics()).toContain('codejail_queue_running{jail="default"} 0');
  });

  it('never has a slug or a tenant in a label, of which there is no end', () => {
    for (const { labels } of ALL) {
      expect(['command', 'path', 'outcome', 'reason', 'jail', 'state']).toEqual(
        expect.arrayContaining([...labels]),
      );
    }
  });

  it('is taken back by what it gives', () => {
    const register = collect();
    ends.pop()?.();
    expect(register.getMetricsAsArray()).toEqual([]);
    expect(channel(CHANNELS.call).hasSubscribers).toBe(false);
    ends.push(collectMetrics({ register }));
  });

  it('refuses a registry that has them already, and what is no jail', () => {
    const register = collect();
    expect(() => collectMetrics({ register })).toThrow(/^options\.register has the metrics/);
    const jails = { grader: {} } as never;
    expect(() => collectMetrics({ jails })).toThrow(InvalidArgumentError);
    expect(() => collectMetrics({ jails })).toThrow(/^options\.jails\["grader"\] must be a jail/);
  });
});

describe('opentelemetry', () => {
  const observe = () => {
    const spans = new KeptSpans();
    const metrics = new KeptMetrics();
    const jails = { grader: { stats: () => statistics() } };
    ends.push(instrument({ tracerProvider: spans, meterProvider: metrics, jails }));
    return { spans: spans.spans, metrics };
  };

  it('has each metric of the table with its unit, and no other', () => {
    const { metrics } = observe();
    expect(Object.fromEntries(metrics.units)).toEqual(
      Object.fromEntries(ALL.map(({ name, unit }) => [name, unit])),
    );
  });

  it('records what happens, and observes what jails have', () => {
    const { metrics } = observe();
    happen();
    expect(metrics.recorded).toEqual(
      expect.arrayContaining([
        {
          name: 'codejail.call.duration',
          value: 0.045,
          labels: { command: 'python', path: 'cold', outcome: 'exited' },
        },
        { name: 'codejail.queue.wait', value: 0.7, labels: {} },
      ]),
    );
    expect(metrics.observed()).toEqual(
      expect.arrayContaining([
        { name: 'codejail.queue.waiting', value: 5, labels: { jail: 'grader' } },
        { name: 'codejail.process.running', value: 3, labels: {} },
      ]),
    );
  });

  it('makes a span of a call, with its wait and its run within', () => {
    const { spans } = observe();
    channel(CHANNELS.call).publish({ ...CALL, queuedMs: 700 });
    const [call, queue, run] = spans;
    expect(spans.map(({ name }) => name)).toEqual([
      'codejail.call',
      'codejail.queue',
      'codejail.run',
    ]);
    expect(call!.end! - call!.start).toBeCloseTo(745);
    expect([queue!.parent, run!.parent]).toEqual([call!.id, call!.id]);
    expect(queue!.end! - queue!.start).toBeCloseTo(700);
    expect(run!.start - queue!.end!).toBeCloseTo(10);
    expect(run!.end! - run!.start).toBeCloseTo(30);
    expect(call!.status).toBeUndefined();
    expect(call!.attributes).toEqual({
      'codejail.command': 'python',
      'codejail.slug': 'problem 7',
      'codejail.path': 'cold',
      'codejail.cold_reason': 'files',
      'codejail.outcome': 'exited',
      'codejail.exit_status': 0,
      'codejail.queued_ms': 700,
      'codejail.setup_ms': 10,
      'codejail.wall_ms': 30,
      'codejail.cpu_ms': 250,
      'codejail.max_rss_bytes': 9_000_000,
      'codejail.stdout_bytes': 3,
      'codejail.stderr_bytes': 0,
    });
  });

  it('says of a program over its limit which, and calls it no error of the server', () => {
    const { spans } = observe();
    const exceeded = { limit: 'cpu', allowed: 1, measured: 1.2 } as const;
    const result = { ...RESULT, outcome: 'cpu-limit', status: -9, signal: 'SIGKILL', exceeded };
    channel(CHANNELS.call).publish({ ...CALL, slug: null, outcome: 'cpu-limit', result });
    expect(spans[0]!.status).toBeUndefined();
    expect(spans[0]!.attributes).toMatchObject({
      'codejail.exceeded_limit': 'cpu',
      'codejail.signal': 'SIGKILL',
    });
    expect(spans[0]!.attributes).not.toHaveProperty('codejail.slug');
  });

  it('says of a call that was rejected why', () => {
    const { spans } = observe();
    const error = new InvalidArgumentError('options.limits', 'are wrong');
    for (const thrown of [error, 'a string']) {
      channel(CHANNELS.call).publish({
        ...{ ...CALL, outcome: 'rejected', result: null, error: thrown },
      });
    }
    expect(spans.map(({ status }) => status?.message)).toEqual([error.message, 'a string']);
    expect(spans[0]!.attributes['error.type']).toBe('ERR_CODEJAIL_INVALID_ARGUMENT');
    expect(spans[1]!.attributes['error.type']).toBe('string');
  });

  it('is ended by what it gives', () => {
    const { spans, metrics } = observe();
    ends.pop()?.();
    happen();
    expect([spans, metrics.recorded, metrics.observed()]).toEqual([[], [], []]);
  });
});

describe('a package that is not installed', () => {
  const missing = (name: string) => () => requirePeer(name, 'codejail/example');

  it('is named, with the command that installs it', () => {
    expect(missing('codejail-no-such-package')).toThrow(MissingPackageError);
    expect(missing('codejail-no-such-package')).toThrow(
      "codejail/example needs the package codejail-no-such-package, which is not installed where codejail is: npm install 'codejail-no-such-package@*'",
    );
  });

  it('is asked for in the versions that package.json names', () => {
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as {
      peerDependencies: Record<string, string>;
      peerDependenciesMeta: Record<string, { optional: boolean }>;
    };
    // In a project that has codejail and nothing else.
    const project = mkdtempSync(join(tmpdir(), 'observability-'));
    const home = join(project, 'node_modules/codejail');
    try {
      cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
      cpSync(join(root, 'package.json'), join(home, 'package.json'));
      for (const [helper, call, name] of [
        ['prometheus', 'collectMetrics', 'prom-client'],
        ['opentelemetry', 'instrument', '@opentelemetry/api'],
      ] as const) {
        const script = `
          import { ${call} } from 'codejail/${helper}';
          try { ${call}(); } catch (error) { console.log(String(error)); }`;
        const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
          ...{ cwd: project, encoding: 'utf8' },
        });
        expect(said).toContain('MissingPackageError [ERR_CODEJAIL_MISSING_PACKAGE]');
        expect(said).toContain(`npm install '${name}@${peerDependencies[name]}'`);
        expect(peerDependenciesMeta[name]).toEqual({ optional: true });
      }
    } finally {
      rmSync(project, { recursive: true });
    }
  });
});

describe('docs/observability.md', () => {
  const page = readFileSync(join(root, 'docs/observability.md'), 'utf8');

  it('has each metric by both of its names, with its labels', () => {
    for (const metric of ALL) {
      const row = page
        .split('\n')
        .find((line) => line.startsWith('|') && line.includes(`\`${metric.name}\``));
      expect([metric.name, row]).toEqual([
        metric.name,
        expect.stringContaining(`\`${prometheusName(metric)}\``),
      ]);
      for (const label of metric.labels) {
        expect(row).toContain(`\`${label}\``);
      }
    }
  });
});
