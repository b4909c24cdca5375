// The benchmark's options.
import { parseArgs } from 'node:util';

export const usage = `usage: npm run bench -- [options]

  --runs N       rounds that are counted, 2 or more (default 60)
  --warmup N     rounds before that are not (default 5)
  --heap GIB     memory that the large calling process holds (default 1)
  --python PATH  the Python to run (default: the one that python3 means)
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
 *   check: boolean, help: boolean }} `heap` in bytes
 * @throws TypeError, RangeError with a message for the person who typed them
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '60' },
      warmup: { type: 'string', default: '5' },
      heap: { type: 'string', default: '1' },
      python: { type: 'string', default: 'python3' },
      json: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    runs: numberOf('runs', values.runs, 2, true),
    warmup: numberOf('warmup', values.warmup, 0, true),
    heap: numberOf('heap', values.heap, 0.1, false) * 1024 ** 3,
    python: values.python,
    json: values.json,
    check: values.check,
    help: values.help,
  };
}
