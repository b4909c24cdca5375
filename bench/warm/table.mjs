// What was measured of warm calls, as tables for people.
import pico from 'picocolors';
import { makeTable } from '../table.mjs';

const MEBIBYTE = 1024 * 1024;
const TIMES = ['median ms', 'p95 ms', 'p99 ms'];

function row({ median, p95, p99 }) {
  return [median, p95, p99].map((milliseconds) => milliseconds.toFixed(2));
}

function titled(head, rows) {
  const table = makeTable(
    head,
    head.map((name, index) => (index === 0 || name === 'run by' ? 'left' : 'right')),
  );
  table.push(...rows);
  return table.toString();
}

function latencyTable(latency) {
  return titled(
    ['one call at a time', 'run by', ...TIMES, '× warm'],
    latency.flatMap(({ task, figures }) =>
      figures.map(({ contender, milliseconds }) => [
        task,
        contender === 'warm' ? pico.bold(contender) : contender,
        ...row(milliseconds),
        (milliseconds.median / figures[0].milliseconds.median).toFixed(1),
      ]),
    ),
  );
}

const FORKS = { bareFork: 'bare fork', leastConfined: 'least confined' };

function throughputTable(throughput) {
  const forks = Object.entries(FORKS).filter(([key]) => key in throughput[0]);
  return titled(
    [
      'callers',
      'warm, calls/s',
      ...TIMES,
      ...forks.flatMap(([, name]) => [`${name}, calls/s`, 'p99 ms', 'warm to it']),
      'went cold',
    ],
    throughput.map((figures) => [
      figures.callers,
      figures.warm.perSecond.toFixed(0),
      ...row(figures.warm.milliseconds),
      ...forks.flatMap(([key]) => [
        figures[key].perSecond.toFixed(0),
        figures[key].milliseconds.p99.toFixed(2),
        (figures.warm.perSecond / figures[key].perSecond).toFixed(2),
      ]),
      figures.cold,
    ]),
  );
}

function growthTables({ heap, globals, pool }) {
  return [
    titled(
      ["the caller's memory", ...TIMES],
      heap.map(({ bytes, milliseconds }) => [`${bytes / MEBIBYTE} MiB`, ...row(milliseconds)]),
    ),
    titled(
      ['globals', ...TIMES],
      globals.map(({ bytes, milliseconds }) => [`${bytes / 1000} kB`, ...row(milliseconds)]),
    ),
    titled(
      ['cells that wait', ...TIMES, 'template MiB'],
      pool.map(({ size, milliseconds, templateBytes }) => [
        size,
        ...row(milliseconds),
        (templateBytes / MEBIBYTE).toFixed(0),
      ]),
    ),
  ];
}

function enduranceTable({ settled, calls, before, after }) {
  return titled(
    ['the calling process', 'resident MiB', 'descriptors'],
    [
      [`after ${settled} calls`, before],
      [`after ${calls} more`, after],
    ].map(([when, { residentBytes, descriptors }]) => [
      when,
      (residentBytes / MEBIBYTE).toFixed(1),
      descriptors,
    ]),
  );
}

/** The tables of the parts that were measured. */
export function warmText({ latency, throughput, growth, endurance }) {
  return [
    ...(latency === undefined ? [] : [latencyTable(latency)]),
    ...(latency?.[0].missing ?? []).map((why) => `not compared: ${why}`),
    ...(throughput === undefined ? [] : [throughputTable(throughput)]),
    ...(throughput !== undefined && !('leastConfined' in throughput[0])
      ? ['not compared: the least confined fork: there is no c++']
      : []),
    ...(growth === undefined ? [] : growthTables(growth)),
    ...(endurance === undefined ? [] : [enduranceTable(endurance)]),
  ].join('\n\n');
}
