// Which metrics an expression of PromQL (https://prometheus.io/docs/prometheus/latest/querying/basics/) reads.

/** A metric, and the labels that the expression asks of it. */
export interface UsedMetric {
  name: string;
  labels: string[];
}

const KEYWORDS = new Set(['offset', 'bool', 'and', 'or', 'unless', 'atan2', 'inf', 'nan']);

/**
 * The metrics of an expression, in their order. Labels of `by`, `without`, `on` and `ignoring` count for every metric of the
 * expression: the dashboard sums nothing else.
 */
export function metricsOf(expression: string): UsedMetric[] {
  const grouped: string[] = [];
  const plain = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, list) => {
      grouped.push(...String(list).split(/\s*,\s*/));
      return '';
    })
    // Grafana's own, of a variable: what it lists.
    .replace(/\blabel_values\((.*),\s*(\w+)\)$/, (_, inner, label) => {
      grouped.push(String(label));
      return String(inner);
    })
    .replace(/\b\d+(?:\.\d+)?(?:[smhdwy]|ms)?\b/g, '');
  const used: UsedMetric[] = [];
  for (const [, name = '', , matchers = ''] of plain.matchAll(
    /\b([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(\{([^}]*)\})?/g,
  )) {
    if (!KEYWORDS.has(name.toLowerCase())) {
      const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!);
      used.push({ name, labels: [...labels, ...grouped.filter((label) => label !== '')] });
    }
  }
  return used;
}
