// The same suites once more, as a user without any privilege: user namespaces instead of a pool of uids.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Belongs to nobody: no passwd entry is needed.
const UNPRIVILEGED = 61_234;
const ROOT = join(__dirname, '..', '..');
const NEEDED = [
  'lib',
  'native',
  'test',
  'apparmor-profiles',
  'examples',
  'build/Release',
  'dist',
  'node_modules',
  'package.json',
  'jest.config.js',
  'tsconfig.json',
];
const SUITES = ['test/jail', 'test/session', 'test/escape', 'test/faults', 'test/cli'];
// CI has a bound: what is warm is tried as this user in the machine with AppArmor too.
const PROJECTS =
  process.env['CODEJAIL_QUICK'] === undefined
    ? []
    : ['--selectProjects', 'jail', 'session (warm)', 'escape', 'faults', 'cli'];

interface JestSummary {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; status: 'passed' | 'failed' }[];
}

jest.setTimeout(2_400_000);

/** The clone, where it is that user's: it may lie where only root can go. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'ordinary-'));
  chmodSync(copy, 0o755);
  for (const name of NEEDED) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true, verbatimSymlinks: true });
  }
  mkdirSync(join(copy, 'home'));
  // As an ordinary user's clone or node_modules is: also what jails show belongs to the caller.
  execFileSync('chown', ['--recursive', `${UNPRIVILEGED}:${UNPRIVILEGED}`, copy]);
  return copy;
}

function runSuites(copy: string, suites: readonly string[]): JestSummary {
  const home = join(copy, 'home');
  const report = join(home, 'report.json');
  const words = [
    'node_modules/jest/bin/jest.js',
    ...PROJECTS,
    ...(PROJECTS.length === 0 ? suites : ['--testPathPatterns', ...suites]),
    // What comes back is read alike for everybody.
    ...['--testNamePattern', '^(?!the event loop goes on)'],
    ...['--cacheDirectory', join(home, 'cache')],
    ...['--json', '--outputFile', report],
  ];
  const { status, stderr } = spawnSync(process.execPath, words, {
    cwd: copy,
    uid: UNPRIVILEGED,
    gid: UNPRIVILEGED,
    // A python3 in a closed home is not this user's.
    env: {
      ...{ HOME: home, TMPDIR: '/tmp', PATH: '/usr/local/bin:/usr/bin:/bin' },
      ...(PROJECTS.length === 0 ? {} : { CODEJAIL_QUICK: '1' }),
    },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) {
    process.stderr.write(stderr);
  }
  return JSON.parse(readFileSync(report, 'utf8')) as JestSummary;
}

if (process.getuid?.() === 0) {
  it('holds for an ordinary user, in every suite', () => {
    const copy = copyProject();
    try {
      const all = runSuites(copy, SUITES);
      expect(all.numPassedTests).toBeGreaterThan(400);
      const failed = all.testResults.filter(({ status }) => status === 'failed');
      if (failed.length === 0) {
        expect(all).toMatchObject({ numFailedTests: 0, numRuntimeErrorTestSuites: 0 });
        return;
      }
      // As .ci/run has it, for the machine is shared; and all of this takes too long to be run again for one of them.
      const names = new Set(failed.map(({ name }) => name));
      const again = runSuites(copy, ['--runTestsByPath', ...names]);
      expect(again).toMatchObject({ numFailedTests: 0, numRuntimeErrorTestSuites: 0 });
      expect(again.numPassedTests).toBeGreaterThan(0);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
} else {
  it('is an ordinary user already', () => {
    expect(process.getuid?.()).not.toBe(0);
  });
}
