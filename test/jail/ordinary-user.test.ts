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
  'build/Release',
  'dist',
  'node_modules',
  'package.json',
  'jest.config.js',
  'tsconfig.json',
];
const SUITES = ['test/jail', 'test/escape', 'test/faults', 'test/cli'];

interface JestSummary {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
}

jest.setTimeout(2_400_000);

if (process.getuid?.() === 0) {
  it('holds for an ordinary user, in every suite', () => {
    // The clone may lie where only root can go.
    const copy = mkdtempSync(join(tmpdir(), 'ordinary-'));
    try {
      chmodSync(copy, 0o755);
      for (const name of NEEDED) {
        cpSync(join(ROOT, name), join(copy, name), { recursive: true, verbatimSymlinks: true });
      }
      const home = join(copy, 'home');
      mkdirSync(home);
      // As an ordinary user's clone or node_modules is: also what jails show belongs to the caller.
      execFileSync('chown', ['--recursive', `${UNPRIVILEGED}:${UNPRIVILEGED}`, copy]);
      const report = join(home, 'report.json');
      const run = spawnSync(
        process.execPath,
        [
          'node_modules/jest/bin/jest.js',
          ...SUITES,
          // What comes back is read alike for everybody.
          ...['--testNamePattern', '^(?!the event loop goes on)'],
          '--cacheDirectory',
          join(home, 'cache'),
          '--json',
          '--outputFile',
          report,
        ],
        {
          cwd: copy,
          uid: UNPRIVILEGED,
          gid: UNPRIVILEGED,
          // A python3 in a closed home is not this user's.
          env: { HOME: home, TMPDIR: '/tmp', PATH: '/usr/local/bin:/usr/bin:/bin' },
          encoding: 'utf8',
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      if (run.status !== 0) {
        process.stderr.write(run.stderr);
      }
      const summary = JSON.parse(readFileSync(report, 'utf8')) as JestSummary;
      expect(summary).toMatchObject({ numFailedTests: 0, numRuntimeErrorTestSuites: 0 });
      expect(summary.numPassedTests).toBeGreaterThan(40);
      expect(run.status).toBe(0);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
} else {
  it('is an ordinary user already', () => {
    expect(process.getuid?.()).not.toBe(0);
  });
}
