// Cold calls beside a plain spawn and the sandboxes that are installed. `npm run bench -- --help`
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { findProgram, PEERS } from './contenders.mjs';
import { measure } from './measurement.mjs';
import { readOptions, usage } from './options.mjs';
import { readPrograms } from './programs.mjs';
import { Server } from './server.mjs';
import { figuresTable, targetsTable } from './table.mjs';
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

function showRound(done, total) {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[2Kround ${done + 1} of ${total}`);
  }
}

function clearRound() {
  if (process.stderr.isTTY) {
    process.stderr.write('\r\x1b[2K');
  }
}

async function measureAll({ runs, warmup, heap, python }) {
  const programs = readPrograms(python);
  const servers = { small: await Server.start(0), large: await Server.start(heap) };
  try {
    const host = readHost(servers, programs);
    const { usable, unusable } = await tryAll(servers.small, programs);
    const onRound = (done) => {
      showRound(done, warmup + runs);
    };
    const figures = await measure(servers, programs, usable, { runs, warmup, onRound });
    return { host, unusable, runs, figures, targets: judge(figures) };
  } finally {
    clearRound();
    servers.small.stop();
    servers.large.stop();
  }
}

function reportText({ host, unusable, runs, figures, targets }) {
  const { cpu, processors, kernel, node, load, python, missing, residentMiB } = host;
  return [
    '',
    `${processors} × ${cpu}, Linux ${kernel}, Node ${node}, load ${load.toFixed(2)} at the start`,
    `python is ${python}; ${runs} rounds, each of everyone in turn; every output is read to its end`,
    `calling process: small ${residentMiB.small} MiB, large ${residentMiB.large} MiB resident`,
    figuresTable(figures),
    ...(missing.length === 0 ? [] : [`not installed here: ${missing.join(', ')}`]),
    ...unusable.map(({ name, why }) => `installed, but it does not run here: ${name} (${why})`),
    '',
    targetsTable(targets),
    '',
  ].join('\n');
}

async function main() {
  let options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const report = await measureAll(options);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
  return options.check && report.targets.some(({ holds }) => !holds) ? 1 : 0;
}

process.exitCode = await main();
