// The suites that need a kernel with AppArmor: on this host where it enforces AppArmor and we are root, else in a
// throwaway machine. The last line is `N passed, N failed`.
//   --seconds N   the time limit
//   --quick       those of CI: a part of each kind
//   --machine     in the machine, whatever this host has
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main, root, ScriptError, step } from './console.mjs';
import { runInMachine } from './machine/boot.mjs';
import { readReports, summarize } from './machine/reports.mjs';
import { x64Machine } from './machine/x64.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5400' },
    quick: { type: 'boolean', default: false },
    machine: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const plan = values.quick ? 'quick' : 'all';

function enforcesHere() {
  const switchFile = '/sys/module/apparmor/parameters/enabled';
  return (
    process.getuid() === 0 &&
    existsSync('/sys/kernel/security/apparmor/profiles') &&
    readFileSync(switchFile, 'utf8').trim() === 'Y'
  );
}

async function runHere() {
  const results = mkdtempSync(join(tmpdir(), 'codejail-results-'));
  try {
    const child = spawn(process.execPath, ['scripts/machine/lanes.mjs', results, plan], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: seconds * 1000,
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    return { status, inspected: readReports(results) };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

const runThere = async () =>
  runInMachine(
    await x64Machine(),
    `exec /srv/node scripts/machine/lanes.mjs /codejail-machine ${plan}`,
    { seconds, onOutput: (chunk) => process.stdout.write(chunk), inspect: readReports },
  );

await main(async () => {
  const isHere = !values.machine && enforcesHere();
  const title = `testing under AppArmor, ${isHere ? 'on this kernel' : 'in a virtual machine'}`;
  try {
    const { status, inspected } = await step(title, isHere ? runHere : runThere);
    summarize(plan, status, inspected);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    process.stderr.write(`${error.message}\n`);
    summarize(plan, 1, error.inspected ?? []);
  }
});
