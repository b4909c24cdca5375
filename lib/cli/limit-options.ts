// One option for each limit.
import { Option, type Command } from 'commander';
import { effectiveLimits, type LimitName, type Limits } from '../index';
import { LIMIT_DEFINITIONS } from '../limits';
import { formatBytes, formatSeconds, parseBytes, parseCount, parseSeconds } from './units';

interface LimitOption {
  /** Where it is not the limit's own name: `--files` would be taken for `--file`. */
  flag?: string;
  value: string;
  parse: (text: string) => number;
  format: (value: number) => string;
  help: string;
}

const bytes = { value: 'bytes', parse: parseBytes, format: formatBytes };
const seconds = { value: 'seconds', parse: parseSeconds, format: formatSeconds };
const count = { value: 'number', parse: parseCount, format: String };

const LIMIT_OPTIONS: Readonly<Record<LimitName, LimitOption>> = {
  cpu: { ...seconds, help: 'CPU time, over all of its processes' },
  realtime: { ...seconds, help: 'time by the clock on the wall' },
  extraTime: {
    ...seconds,
    flag: 'extra-time',
    help: 'how long it may go on once it is over --cpu or --realtime, to show by how much',
  },
  memory: { ...bytes, help: 'memory, over all of its processes' },
  vmem: { ...bytes, help: 'address space of each process' },
  stack: { ...bytes, help: "each process's stack, as far as --memory goes" },
  fsize: { ...bytes, help: 'size of each file that it writes; 0: it may write nothing' },
  disk: { ...bytes, help: 'all files in its tmp together' },
  files: { ...count, flag: 'max-files', help: 'number of files in its tmp' },
  nproc: { ...count, help: 'processes and threads' },
  openFiles: { ...count, flag: 'open-files', help: 'files that a process has open at a time' },
  output: { ...bytes, help: 'each of standard output and standard error' },
  input: { ...bytes, help: 'all files that are copied in, together' },
  proxy: { ...count, help: '0: never use a warm Python' },
};

/** The option that sets a limit: `--cpu`. */
export function limitFlag(name: LimitName): string {
  return `--${LIMIT_OPTIONS[name].flag ?? name}`;
}

/** A limit's value in words: `64 MiB`. */
export function formatLimit(name: LimitName, value: number): string {
  return LIMIT_OPTIONS[name].format(value);
}

/** Gives a command the options for all limits. */
export function addLimitOptions(command: Command): void {
  const defaults = effectiveLimits();
  for (const [name, option] of Object.entries(LIMIT_OPTIONS) as [LimitName, LimitOption][]) {
    if (name === 'proxy') {
      // Each run of the command line is a cold one.
      continue;
    }
    const standard = defaults[name];
    const shown =
      standard === 0 && LIMIT_DEFINITIONS[name].zeroMeans === 'no limit'
        ? ' (default: no limit)'
        : ` (default: ${option.format(standard)})`;
    command.addOption(
      new Option(`${limitFlag(name)} <${option.value}>`, `${option.help}${shown}`)
        .argParser(option.parse)
        .helpGroup('Limits:'),
    );
  }
}

/** The limits among a command's parsed options. */
export function limitsOf(options: Readonly<Record<string, unknown>>): Partial<Limits> {
  const limits: Partial<Record<LimitName, number>> = {};
  for (const name of Object.keys(LIMIT_OPTIONS) as LimitName[]) {
    const value = options[name === 'files' ? 'maxFiles' : name];
    if (typeof value === 'number') {
      limits[name] = value;
    }
  }
  return limits;
}
