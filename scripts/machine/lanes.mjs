// Runs a plan's lanes side by side: `node lanes.mjs RESULTS all|quick|arm64`.
// Jest's reports go to the folder RESULTS, one file a run.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentOf, OWN_NAMESPACES } from '../namespaces.mjs';
import { PLANS } from './plan.mjs';
import { findNewParser, loadProfiles } from './profiles.mjs';

const require = createRequire(import.meta.url);

const project = fileURLToPath(new URL('../..', import.meta.url));
const results = process.argv[2];

const slug = (text) => text.replaceAll(/[^a-z0-9]+/gi, '-');
const denials = () => {
  const lines = execFileSync('dmesg', { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split(
    '\n',
  );
  return lines.filter((line) => line.includes('apparmor="DENIED"'));
};

// $0: the uid; the words after it: the command.
const IN_LANE = `
mount -t tmpfs -o mode=1777 tmp /tmp && mount -t tmpfs -o mode=755 run /run || exit 97
# The shell itself stays: as the lane's first process it reaps the orphans of servers that are killed.
(
  [ -z "$CGROUP" ] || echo 0 >"$CGROUP/cgroup.procs" || exit 97
  [ "$0" = 0 ] && exec "$@"
  exec setpriv --reuid "$0" --regid "$0" --clear-groups --inh-caps=-all "$@"
)
exit $?
`;

/** A configuration of Jest for one run; that of the package has a project for each folder. */
function configure(home, { projects, names }) {
  const { transform } = require('../../jest.config.js').projects[0];
  const file = join(home, 'jest.config.json');
  const config = {
    rootDir: project,
    maxWorkers: 1,
    // Emulated, a machine is some ten times slower.
    testTimeout: 180_000,
    cacheDirectory: join(home, 'cache'),
    projects: projects.map(({ layers, suites, mode }, index) => ({
      rootDir: project,
      displayName: [layers ?? `project ${index}`, mode].filter(Boolean).join(', '),
      id: String(index),
      testEnvironment: 'node',
      testMatch: suites.map((suite) => `<rootDir>/${suite}`),
      transform,
      cacheDirectory: join(home, 'cache'),
      // An empty one is no layer at all.
      ...(layers === undefined
        ? {}
        : {
            globals: { CODEJAIL_TEST_LAYERS: layers, codejailMode: mode ?? 'cold' },
            setupFiles: ['<rootDir>/test/support/layers.ts'],
          }),
    })),
  };
  writeFileSync(file, JSON.stringify(config));
  return ['--config', file, ...(names === undefined ? [] : ['--testNamePattern', names])];
}

// As an administrator gives a part of the tree away (cgroup-v2.rst, "Model of Delegation").
function delegate(lane) {
  const cgroup = `/sys/fs/cgroup/${slug(lane.name)}`;
  writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+cpu +memory +pids');
  mkdirSync(cgroup, { recursive: true });
  for (const file of ['', '/cgroup.procs', '/cgroup.threads', '/cgroup.subtree_control']) {
    chownSync(cgroup + file, lane.uid, lane.uid);
  }
  return cgroup;
}

/** @param more settings of Jest's */
function runJest(lane, run, more = []) {
  const { name } = run;
  const home = `/var/tmp/codejail-${slug(lane.name)}`;
  mkdirSync(home, { recursive: true });
  const report = join(home, `${slug(name)}.json`);
  chownSync(home, lane.uid, lane.uid);
  const jest = ['node_modules/jest/bin/jest.js', ...configure(home, run)];
  const settings = ['--json', '--outputFile', report, ...more];
  const words = [
    ...OWN_NAMESPACES,
    'bash',
    '-c',
    IN_LANE,
    String(lane.uid),
    process.execPath,
    ...jest,
    ...settings,
  ];
  const child = spawn('unshare', words, {
    cwd: project,
    env: {
      ...environmentOf(home),
      ...(run.delegated === true ? { CGROUP: delegate(lane) } : {}),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const prefix = `${lane.name}, ${name}: `;
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    process.stdout.write(lines.map((line) => `${prefix}${line}\n`).join(''));
  });
  return new Promise((resolve) => {
    child.on('close', (status) => {
      resolve({ status, report });
    });
  });
}

const readReport = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});

/** A suite that failed runs once more, and has failed when it fails again: at times an emulated machine is very slow. */
async function runTwice(lane, run) {
  const first = await runJest(lane, run);
  const { testResults = [], numPassedTests } = readReport(first.report);
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  if (first.status === 0 || failed.length === 0) {
    return first;
  }
  const again = [...new Set(failed)];
  process.stdout.write(`== ${lane.name}, ${run.name}: once more: ${again.join(', ')}\n`);
  const second = await runJest(lane, run, ['--runTestsByPath', ...again]);
  // What has passed the first time counts once.
  const counts = readReport(second.report);
  if (second.status === 0) {
    counts.numPassedTests = Math.max(numPassedTests, counts.numPassedTests);
  }
  writeFileSync(second.report, JSON.stringify(counts));
  return second;
}

async function runLane(lane) {
  let isGood = true;
  for (const run of lane.runs) {
    const before = new Set(denials());
    const start = performance.now();
    const { status, report } = await runTwice(lane, run);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const title = `${lane.name}, ${run.name}`;
    const counts = readReport(report);
    process.stdout.write(
      `== ${title}: ${counts.numPassedTests ?? 0} passed in ${seconds} s, status ${status}\n`,
    );
    const file = join(results, `${slug(title)}.json`);
    writeFileSync(file, JSON.stringify(counts));
    if (status !== 0) {
      isGood = false;
      const fresh = denials().filter((line) => !before.has(line));
      process.stdout.write(`== the kernel's denials meanwhile: ${fresh.length}\n`);
      process.stdout.write(
        fresh
          .slice(-80)
          .map((line) => `${line}\n`)
          .join(''),
      );
    }
  }
  return isGood;
}

const { lanes, profiles } = PLANS[process.argv[3]];
const removeProfiles = profiles
  ? await loadProfiles(project, findNewParser('/srv/apparmor-4'))
  : async () => undefined;
const good = [];
for (const lane of lanes.filter(({ alone }) => alone)) {
  good.push(await runLane(lane));
}
good.push(...(await Promise.all(lanes.filter(({ alone }) => !alone).map(runLane))));
await removeProfiles();
process.exitCode = good.every(Boolean) ? 0 : 1;
