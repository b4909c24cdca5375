// docs/grafana-dashboard.json: every name in it is one that codejail/prometheus registers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Histogram, Registry } from 'prom-client';
import { collectMetrics } from '../../lib/observability/prometheus';
import { metricsOf } from '../support/promql';

interface Panel {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string; refId: string }[];
}

const { panels, templating } = JSON.parse(
  readFileSync(join(__dirname, '../../docs/grafana-dashboard.json'), 'utf8'),
) as { panels: Panel[]; templating: { list: { name: string; type: string; query: string }[] } };

/** What a server that scrapes them adds. */
const OF_PROMETHEUS = ['job', 'instance'];

/** The names of samples, as they are exposed, and the labels of each. */
function exposed(): Map<string, string[]> {
  const register = new Registry();
  const stop = collectMetrics({ register });
  const samples = new Map<string, string[]>();
  for (const metric of register.getMetricsAsArray()) {
    const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
    const labels = [...labelNames, ...OF_PROMETHEUS];
    if (metric instanceof Histogram) {
      samples.set(`${name}_bucket`, [...labels, 'le']);
      samples.set(`${name}_count`, labels);
      samples.set(`${name}_sum`, labels);
    } else {
      samples.set(name, labels);
    }
  }
  stop();
  return samples;
}

const samples = exposed();
const expressions = [
  ...panels.flatMap(({ title, targets }) =>
    targets.map(({ expr, legendFormat }) => ({ title, expr, legend: legendFormat })),
  ),
  ...templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => ({ title: `$${name}`, expr: query, legend: '' })),
];

it.each(expressions)('$title: $expr', ({ expr, legend }) => {
  const used = metricsOf(expr);
  expect(used.length).toBeGreaterThan(0);
  for (const { name, labels } of used) {
    expect([...samples.keys()]).toContain(name);
    expect(samples.get(name)).toEqual(expect.arrayContaining(labels));
  }
  // What a legend names is left when the expression has been summed.
  for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
    expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  }
});

it('shows every metric', () => {
  const shown = new Set(expressions.flatMap(({ expr }) => metricsOf(expr).map(({ name }) => name)));
  const families = new Set(
    [...samples.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '')),
  );
  const hidden = [...families].filter(
    (family) => ![...shown].some((name) => name === family || name.startsWith(`${family}_`)),
  );
  expect(hidden).toEqual([]);
});

it('has panels with ids of their own, none over another', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
});

describe('the reader of expressions', () => {
  it('finds names and labels, and takes no function, keyword, number or text for one', () => {
    expect(
      metricsOf(
        'histogram_quantile(0.99, sum by (le, path) (rate(a_bucket{job=~"b", c!="d(e)"}[$__rate_interval]))) / on (f) max without (g) (h offset 5m == bool 0)',
      ),
    ).toEqual([
      { name: 'a_bucket', labels: expect.arrayContaining(['job', 'c', 'le', 'path']) as string[] },
      { name: 'h', labels: expect.arrayContaining(['g', 'f']) as string[] },
    ]);
  });
});
