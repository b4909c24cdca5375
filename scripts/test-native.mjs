// The suites of jails over a build of the native part under sanitizers: the addon under AddressSanitizer and UBSan, the
// launcher, the probe and the cell library under UBSan. The last line is `N passed, N failed`.
//   --quick        those of CI: a part of each folder
//   PATTERN…       the suites whose path has one of these instead
import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main, root, ScriptError } from './console.mjs';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const PROJECTS = [
  ...['jail', 'escape', 'faults'],
  ...['jail (warm)', 'session (warm)', 'escape (warm)'],
];

// One suite of each kind of work that the native part does.
const QUICK = [
  'test/faults/(descriptors|host|server|watches)\\.',
  'test/jail/(abort|collect|output|safe-exec|warm-python|warm-script)\\.',
  'test/session/branches\\.',
  'test/escape/(processes|warm-cells|warm-keeper)\\.',
];

// Suites and tests that can't hold here, and why.
const LEFT_OUT = [
  ['test/jail/ordinary-user', 'starts a Jest of its own; run test:native as that user instead'],
  [
    'test/faults/overload',
    'measures the memory of thousands of calls, which AddressSanitizer multiplies',
  ],
  ['test/faults/cures', 'takes away /proc and the place of the package, which the sanitizers need'],
];
const TESTS_LEFT_OUT = [
  [
    'supports a large result without holding up the server for long',
    'measures how long the event loop takes, which AddressSanitizer multiplies',
  ],
];

const reports = join(root, 'build-sanitized/reports');
const results = join(root, 'build-sanitized/results.json');

function runtimeLibrary(name) {
  const path = execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  if (!path.startsWith('/')) {
    throw new ScriptError(
      `${name} is missing: it comes with gcc (Fedora: dnf install libasan libubsan)`,
    );
  }
  return path;
}

function environment() {
  return {
    ...process.env,
    // The library looks for what was built below this.
    CODEJAIL_PREBUILD: join(root, 'build-sanitized'),
    // Node is not linked with them. A jail's environment is its own: nothing in it sees this.
    LD_PRELOAD: `${runtimeLibrary('libasan.so')}:${runtimeLibrary('libubsan.so')}`,
    ASAN_OPTIONS: [
      // V8 and Node keep much until they end.
      'detect_leaks=0',
      'handle_segv=0',
      // Some tests ask for more memory than there is.
      'allocator_may_return_null=1',
      `log_path=${reports}/report`,
    ].join(':'),
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
}

function runJest(suites) {
  const excluded = TESTS_LEFT_OUT.map(([name]) => `(?!.*${name})`).join('');
  const words = [
    'node_modules/jest/bin/jest.js',
    ...['--selectProjects', ...PROJECTS],
    ...['--testTimeout', '90000', '--json', '--outputFile', results],
    ...['--testNamePattern', `^${excluded}`],
    ...LEFT_OUT.flatMap(([path]) => ['--testPathIgnorePatterns', path]),
    ...suites.flatMap((pattern) => ['--testPathPatterns', pattern]),
  ];
  const child = spawn(process.execPath, words, {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve) => child.on('close', resolve));
}

function tell(status) {
  const found = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
  process.stdout.write(found.map((text) => `${text}\n`).join(''));
  for (const [what, why] of [...LEFT_OUT, ...TESTS_LEFT_OUT]) {
    process.stdout.write(`left out: ${what}: ${why}\n`);
  }
  let counts = { numPassedTests: 0, numFailedTests: 1, numRuntimeErrorTestSuites: 0 };
  try {
    counts = JSON.parse(readFileSync(results, 'utf8'));
  } catch {
    process.stdout.write('the tests wrote no results\n');
  }
  const bad = counts.numFailedTests + counts.numRuntimeErrorTestSuites + found.length;
  const failed = status === 0 || bad > 0 ? bad : 1;
  process.stdout.write(`${counts.numPassedTests} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main(async () => {
  for (const path of [reports, results]) {
    rmSync(path, { recursive: true, force: true });
  }
  mkdirSync(reports, { recursive: true });
  // Servers of other users write theirs too.
  tell(await runJest(positionals.length > 0 ? positionals : values.quick ? QUICK : []));
});
