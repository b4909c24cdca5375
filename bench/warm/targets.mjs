// What is promised about warm calls, and whether it held.

const MEBIBYTE = 1024 * 1024;

function atMost(target, measured, limit) {
  return { target, measured, atMost: limit, holds: measured <= limit };
}

function atLeast(target, measured, limit) {
  return { target, measured, atLeast: limit, holds: measured >= limit };
}

function judgeLatency(latency) {
  return latency.flatMap(({ task, figures }) => {
    const of = (name) => figures.find(({ contender }) => contender === name)?.milliseconds;
    const { median, p95 } = of('warm');
    const peer = of('CodeJail (sudo)');
    return [
      atMost(`${task}: warm, median ms`, median, 1),
      atMost(`${task}: warm, p95 ms`, p95, 3),
      ...(peer === undefined
        ? []
        : [
            atLeast(
              `${task}: CodeJail (sudo) to warm`,
              peer.median / median,
              task === 'numpy' ? 100 : 50,
            ),
          ]),
    ];
  });
}

/** @returns the verdicts on the parts that were measured */
export function judgeWarm({ latency, throughput, endurance }) {
  return [
    ...(latency === undefined ? [] : judgeLatency(latency)),
    ...(throughput ?? []).map(({ callers, warm, bareFork }) =>
      atLeast(
        `${callers} callers: warm to bare fork, calls a second`,
        warm.perSecond / bareFork.perSecond,
        0.8,
      ),
    ),
    ...(endurance === undefined
      ? []
      : [
          atMost(
            `${endurance.calls} calls: MiB more`,
            (endurance.after.residentBytes - endurance.before.residentBytes) / MEBIBYTE,
            16,
          ),
          atMost(
            `${endurance.calls} calls: descriptors more`,
            endurance.after.descriptors - endurance.before.descriptors,
            2,
          ),
        ]),
  ];
}
