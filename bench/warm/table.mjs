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

function throughputTable(throughput) {
  return titled(
    ['callers', 'warm, calls/s', ...TIMES, 'bare fork, calls/s', ...TIMES, 'went cold'],
    throughput.map(({ callers, warm, bareFork, cold }) => [
      callers,
      warm.perSecond.toFixed(0),
      ...row(warm.milliseconds),
      bareFork.perSecond.toFixed(0),
      ...row(bareFork.milliseconds),
      cold,
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
    ...(growth === undefined ? [] : growthTables(growth)),
    ...(endurance === undefined ? [] : [enduranceTable(endurance)]),
  ].join('\n\n');
}
