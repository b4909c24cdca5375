// Runs the plan's lanes side by side, on a host whose kernel enforces AppArmor: `node lanes.mjs RESULTS`.
// Jest's reports go to the folder RESULTS, one file a run.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lanes } from './plan.mjs';

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
[ "$0" = 0 ] && exec "$@"
exec setpriv --reuid "$0" --regid "$0" --clear-groups --inh-caps=-all "$@"
`;
const APART = [
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  '--propagation',
  'private',
];

function runJest(lane, { name, suites, layers, options = [] }) {
  const home = `/var/tmp/codejail-${slug(lane.name)}`;
  mkdirSync(home, { recursive: true });
  const report = join(home, `${slug(name)}.json`);
  chownSync(home, lane.uid, lane.uid);
  const jest = ['node_modules/jest/bin/jest.js', ...suites, ...options];
  const settings = ['--json', '--outputFile', report, '--cacheDirectory', join(home, 'cache')];
  const words = [
    ...APART,
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
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      HOME: home,
      LANG: 'C.UTF-8',
      CI: 'true',
      ...(layers === undefined ? {} : { CODEJAIL_TEST_LAYERS: layers }),
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

async function runLane(lane) {
  let isGood = true;
  for (const run of lane.runs) {
    const before = new Set(denials());
    const start = performance.now();
    const { status, report } = await runJest(lane, run);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const title = `${lane.name}, ${run.name}`;
    const text = existsSync(report) ? readFileSync(report) : '{}';
    const { numPassedTests = 0 } = JSON.parse(text);
    process.stdout.write(
      `== ${title}: ${numPassedTests} passed in ${seconds} s, status ${status}\n`,
    );
    const file = join(results, `${slug(title)}.json`);
    writeFileSync(file, text);
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

const good = await Promise.all(lanes.map(runLane));
process.exitCode = good.every(Boolean) ? 0 : 1;
