// `npm run bench -- --help`
import { writeFileSync } from 'node:fs';
import { coldText, measureCold } from './cold.mjs';
import { functionsText, judgeFunctions, measureFunctions } from './functions/functions.mjs';
import { judgeLoad, loadText, measureLoad } from './load/load.mjs';
import { readOptions, usage } from './options.mjs';
import { readPrograms } from './programs.mjs';
import { judgeSessions, measureSessions, sessionsText } from './sessions/sessions.mjs';
import { targetsTable } from './table.mjs';
import { latencyChart } from './warm/chart.mjs';
import { measureEndurance } from './warm/endurance.mjs';
import { measureGrowth } from './warm/growth.mjs';
import { measureLatency } from './warm/latency.mjs';
import { warmText } from './warm/table.mjs';
import { judgeWarm } from './warm/targets.mjs';
import { measureThroughput } from './warm/throughput.mjs';

const measures = {
  cold: measureCold,
  latency: measureLatency,
  throughput: measureThroughput,
  growth: measureGrowth,
  endurance: measureEndurance,
  load: measureLoad,
  functions: measureFunctions,
  sessions: measureSessions,
};

function onRound(text) {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[2K${text}`);
  }
}

async function measureParts(options) {
  // A version manager's python3 is a shell script: everyone runs the binary behind it.
  const python = readPrograms(options.python).find(({ name }) => name === 'python').bin;
  const report = {};
  for (const part of options.only) {
    report[part] = await measures[part]({ ...options, python, onRound });
    onRound('');
  }
  report.targets = [
    ...(report.cold?.targets ?? []),
    ...judgeWarm(report),
    ...judgeLoad(report.load),
    ...judgeFunctions(report.functions),
    ...judgeSessions(report.sessions),
  ];
  return report;
}

function reportText(report) {
  return [
    ...(report.cold === undefined ? [] : [coldText(report.cold)]),
    warmText(report),
    ...(report.load === undefined ? [] : [loadText(report.load)]),
    ...(report.functions === undefined ? [] : [functionsText(report.functions)]),
    ...(report.sessions === undefined ? [] : [sessionsText(report.sessions)]),
    targetsTable(report.targets),
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
  const report = await measureParts(options);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
  if (options.chart !== undefined && report.latency !== undefined) {
    writeFileSync(options.chart, latencyChart(report.latency));
  }
  return options.check && report.targets.some(({ holds }) => !holds) ? 1 : 0;
}

process.exitCode = await main();
