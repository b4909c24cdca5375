// Cold calls beside a plain spawn and the sandboxes that are installed.
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { findProgram, PEERS } from './contenders.mjs';
import { measure } from './measurement.mjs';
import { readPrograms } from './programs.mjs';
import { Server } from './server.mjs';
import { figuresTable } from './table.mjs';
import { judge } from './targets.mjs';
import { tryAll } from './trial.mjs';

const MEBIBYTE = 1024 * 1024;

function readHost(servers, programs) {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    kernel: release(),
    node: process.version,
    load: loadavg()[0],
    python: programs.find(({ name }) => name === 'python').bin,
    missing: PEERS.filter((name) => findProgram(name) === undefined),
    residentMiB: {
      small: Math.round(servers.small.residentBytes / MEBIBYTE),
      large: Math.round(servers.large.residentBytes / MEBIBYTE),
    },
  };
}

/** @returns the host, the figures and the verdicts */
export async function measureCold({ runs, warmup, heap, python, onRound }) {
  const programs = readPrograms(python);
  const servers = { small: await Server.start(0), large: await Server.start(heap) };
  try {
    const host = readHost(servers, programs);
    const { usable, unusable } = await tryAll(servers.small, programs);
    const figures = await measure(servers, programs, usable, {
      runs,
      warmup,
      onRound: (done) => onRound(`cold: round ${done + 1} of ${warmup + runs}`),
    });
    return { host, unusable, runs, figures, targets: judge(figures) };
  } finally {
    servers.small.stop();
    servers.large.stop();
  }
}

/** The report, for people. */
export function coldText({ host, unusable, runs, figures }) {
  const { cpu, processors, kernel, node, load, python, missing, residentMiB } = host;
  return [
    '',
    `${processors} × ${cpu}, Linux ${kernel}, Node ${node}, load ${load.toFixed(2)} at the start`,
    `python is ${python}; ${runs} rounds, each of everyone in turn; every output is read to its end`,
    `calling process: small ${residentMiB.small} MiB, large ${residentMiB.large} MiB resident`,
    figuresTable(figures),
    ...(missing.length === 0 ? [] : [`not installed here: ${missing.join(', ')}`]),
    ...unusable.map(({ name, why }) => `installed, but it does not run here: ${name} (${why})`),
  ].join('\n');
}
