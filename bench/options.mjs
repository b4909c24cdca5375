// The benchmark's options.
import { parseArgs } from 'node:util';

/** The parts that can be measured alone. */
const PARTS = [
  'cold',
  'latency',
  'throughput',
  'growth',
  'endurance',
  'load',
  'functions',
  'sessions',
];

export const usage = `usage: npm run bench -- [options]

  --only PARTS   of cold, latency, throughput, growth, endurance, load, functions, sessions, those that are named,
                 with commas between (default: all; cold, load and functions are of cold calls too, the others of
                 warm Python)

  --runs N       rounds that are counted, 2 or more (default 60)
  --warmup N     rounds before that are not (default 5; of latency 40 at least)
  --seconds N    how long each number of callers presses, for throughput and load (default 10)
  --heap GIB     memory that the large calling process holds (default 1)
  --python PATH  the Python to run (default: the one that python3 means); numpy is measured where it has it
  --chart FILE   write the latencies as an SVG chart
  --json         print the figures as JSON
  --check        exit with status 1 where a target is missed
  --help         print this
`;

function numberOf(name, text, minimum, whole) {
  const value = Number(text);
  if (!(value >= minimum && value <= 1e6) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new RangeError(`--${name} must be ${kind} of at least ${minimum}, not ${text}`);
  }
  return value;
}

/**
 * @param {string[]} args
 * @returns {{ runs: number, warmup: number, heap: number, python: string, json: boolean,
 *   check: boolean, help: boolean, seconds: number, only: string[], chart: string | undefined }}
 *   `heap` in bytes
 * @throws TypeError, RangeError with a message for the person who typed them
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '60' },
      warmup: { type: 'string', default: '5' },
      heap: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '10' },
      only: { type: 'string', default: PARTS.join(',') },
      chart: { type: 'string' },
      python: { type: 'string', default: 'python3' },
      json: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',');
  const unknown = only.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) {
    throw new RangeError(`--only: there is no part "${unknown}"; there are ${PARTS.join(', ')}`);
  }
  return {
    only,
    chart: values.chart,
    seconds: numberOf('seconds', values.seconds, 0.1, false),
    runs: numberOf('runs', values.runs, 2, true),
    warmup: numberOf('warmup', values.warmup, 0, true),
    heap: numberOf('heap', values.heap, 0.1, false) * 1024 ** 3,
    python: values.python,
    json: values.json,
    check: values.check,
    help: values.help,
  };
}
