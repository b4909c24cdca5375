// What is measured: the one table that both helpers register, and that docs/observability.md describes.

/** One metric. Its name and unit are OpenTelemetry's; Prometheus has both in the name. */
interface Definition {
  name: `codejail.${string}`;
  kind: 'counter' | 'histogram' | 'gauge';
  /** Seconds, bytes, or what is counted: as UCUM spells it. */
  unit: 's' | 'By' | `{${string}}`;
  help: string;
  labels: readonly string[];
  /** Of several processes together the largest, not the sum. */
  largest?: true;
}

/** Recorded when something happens, by the channels of `node:diagnostics_channel`: of all jails of the process. */
export const EVENT_METRICS = {
  callDuration: {
    name: 'codejail.call.duration',
    kind: 'histogram',
    unit: 's',
    help: "From a call's turn to its end",
    labels: ['command', 'path', 'outcome'],
  },
  callCpu: {
    name: 'codejail.call.cpu',
    kind: 'counter',
    unit: 's',
    help: 'CPU time that programs used',
    labels: ['command'],
  },
  callsCold: {
    name: 'codejail.call.cold',
    kind: 'counter',
    unit: '{call}',
    help: 'Calls that no warm Python served, by reason',
    labels: ['command', 'reason'],
  },
  queueWait: {
    name: 'codejail.queue.wait',
    kind: 'histogram',
    unit: 's',
    help: 'How long calls waited that had to, and then had their turn',
    labels: [],
  },
  cellMade: {
    name: 'codejail.cell.make',
    kind: 'histogram',
    unit: 's',
    help: 'How long it took to make a warm cell',
    labels: ['command'],
  },
  cellsLost: {
    name: 'codejail.cell.lost',
    kind: 'counter',
    unit: '{cell}',
    help: 'Warm cells that died before their call began',
    labels: ['command'],
  },
  templateStart: {
    name: 'codejail.template.start',
    kind: 'histogram',
    unit: 's',
    help: 'How long it took to start a template of warm Python',
    labels: ['command'],
  },
  templateFailures: {
    name: 'codejail.template.failures',
    kind: 'counter',
    unit: '{template}',
    help: 'Templates that could not be started, or ended by themselves',
    labels: ['command', 'reason'],
  },
} as const satisfies Record<string, Definition>;

/** Read from `stats()` when somebody asks: of each jail that was named. */
export const STATS_METRICS = {
  running: {
    name: 'codejail.queue.running',
    kind: 'gauge',
    unit: '{call}',
    help: 'Calls that have had their turn and have not ended',
    labels: ['jail'],
  },
  maxRunning: {
    name: 'codejail.queue.max_running',
    kind: 'gauge',
    unit: '{call}',
    help: 'How many calls may run at a time',
    labels: ['jail'],
  },
  waiting: {
    name: 'codejail.queue.waiting',
    kind: 'gauge',
    unit: '{call}',
    help: 'Calls that wait for their turn',
    labels: ['jail'],
  },
  maxQueue: {
    name: 'codejail.queue.max_waiting',
    kind: 'gauge',
    unit: '{call}',
    help: 'How many calls may wait for their turn',
    labels: ['jail'],
  },
  longestWait: {
    name: 'codejail.queue.longest_wait',
    kind: 'gauge',
    unit: 's',
    help: 'How long the call has waited that waits longest',
    labels: ['jail'],
    largest: true,
  },
  refused: {
    name: 'codejail.queue.refused',
    kind: 'counter',
    unit: '{call}',
    help: 'Calls that were refused with BusyError, by its reason',
    labels: ['jail', 'reason'],
  },
  abandoned: {
    name: 'codejail.queue.abandoned',
    kind: 'counter',
    unit: '{call}',
    help: 'Calls that stopped waiting: aborted, or their jail was closed',
    labels: ['jail'],
  },
  processRunning: {
    name: 'codejail.process.running',
    kind: 'gauge',
    unit: '{call}',
    help: 'Calls that run now, of all jails of the process',
    labels: [],
  },
  processMaxRunning: {
    name: 'codejail.process.max_running',
    kind: 'gauge',
    unit: '{call}',
    help: 'How many calls may run at a time, of all jails of the process',
    labels: [],
  },
  poolReady: {
    name: 'codejail.pool.ready',
    kind: 'gauge',
    unit: '{pool}',
    help: '1 where the pool of a warm command has a template, else 0',
    labels: ['jail', 'command'],
  },
  poolCells: {
    name: 'codejail.pool.cells',
    kind: 'gauge',
    unit: '{cell}',
    help: 'Warm cells, by what they do: ready, running, making',
    labels: ['jail', 'command', 'state'],
  },
  poolWaiting: {
    name: 'codejail.pool.waiting',
    kind: 'gauge',
    unit: '{call}',
    help: 'Calls that wait for a warm cell',
    labels: ['jail', 'command'],
  },
  poolMemory: {
    name: 'codejail.pool.memory',
    kind: 'gauge',
    unit: 'By',
    help: 'Memory of the template and its helpers',
    labels: ['jail', 'command'],
  },
} as const satisfies Record<string, Definition>;

export type EventMetric = keyof typeof EVENT_METRICS;
export type StatsMetric = keyof typeof STATS_METRICS;
export type Labels = Readonly<Record<string, string>>;

/** Where the buckets of the histograms end, in seconds: a warm call is at the lower end, a time limit at the upper. */
export const BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

const SUFFIXES: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/** A metric's name as Prometheus has it, and as OpenTelemetry's exporters for Prometheus make it of theirs. */
export function prometheusName({ name, unit, kind }: Definition): string {
  return `${name.replaceAll('.', '_')}${SUFFIXES[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

/** The entries of a table of metrics. */
export function entriesOf<Name extends string>(
  table: Readonly<Record<Name, Definition>>,
): [Name, Definition][] {
  return Object.entries(table) as [Name, Definition][];
}
