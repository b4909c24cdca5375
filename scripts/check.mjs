// Everything that is checked without running the code. `--fix`: formats instead.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { main, root, run, ScriptError, step } from './console.mjs';
import { installed, nodeHeaders } from './toolchain.mjs';

const fix = process.argv.includes('--fix');

function sources(directories, extensions) {
  return directories
    .filter((directory) => existsSync(join(root, directory)))
    .flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true })
        .filter((name) => extensions.some((extension) => name.endsWith(extension)))
        .map((name) => `${directory}/${name}`),
    )
    .sort();
}

const tool = (name, ...args) => run(join(root, 'node_modules/.bin', name), args);

const CLANG_TOOLS =
  'sudo apt-get install -y clang-format clang-tidy (Debian, Ubuntu), ' +
  'sudo dnf install -y clang-tools-extra (Fedora, RHEL), sudo apk add clang-extra-tools (Alpine)';
const CROSS_COMPILER = 'sudo apt-get install -y g++-aarch64-linux-gnu (Debian, Ubuntu)';

async function system(program, args, installation = CLANG_TOOLS) {
  if (!installed(program)) {
    throw new ScriptError(`${program} is not installed. Install with: ${installation}`);
  }
  await run(program, args);
}

// As node-gyp does for release builds; some headers differ.
const compilerOptions = ['-std=c++17', '-D_GNU_SOURCE', '-fno-exceptions', '-Inative'];

/** Node's headers and those of node-addon-api, which are not ours to mend. */
function addonOptions() {
  const headers = nodeHeaders();
  return [
    ...(headers === undefined ? [] : ['-isystem', headers]),
    ...['-isystem', 'node_modules/node-addon-api'],
    ...['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_ADDON_API_DISABLE_DEPRECATED'],
  ];
}

async function tidy(files, options = []) {
  const words = ['--quiet', ...files, '--', ...compilerOptions, ...options];
  await system('clang-tidy', words);
}

const addon = sources(['native/addon'], ['.cc']);
const programs = sources(
  ['native/core', 'native/launcher', 'native/cell', 'native/output', 'native/probe'],
  ['.cc'],
);

// Side by side: each takes one processor.
async function tidyAll() {
  await Promise.all([
    tidy(addon, addonOptions()),
    tidy([...programs, ...sources(['test/fuzz'], ['.cc'])]),
  ]);
}

// The other processor that the package is for: its system calls, its structures, its instructions.
async function compileForArm64() {
  if (process.arch === 'arm64') {
    return;
  }
  const compile = (...words) =>
    system(
      'aarch64-linux-gnu-g++',
      [...compilerOptions, '-Wall', '-Wextra', '-Wconversion', '-Werror', ...words],
      CROSS_COMPILER,
    );
  await Promise.all([
    compile('-fsyntax-only', ...addon, ...addonOptions()),
    compile('-fsyntax-only', '-Wno-missing-field-initializers', ...programs),
    // Only an assembler looks at what is written for one.
    compile('-O2', '-c', '-o', '/dev/null', 'native/addon/spawn.cc', ...addonOptions()),
  ]);
}

const everySource = sources(['native', 'bench', 'test'], ['.cc', '.h']);
const formatting = [
  ['prettier', () => tool('prettier', fix ? '--write' : '--check', '--log-level=warn', '.')],
  [
    'clang-format',
    () => system('clang-format', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...everySource]),
  ],
];
const checks = [
  ['tsc', () => tool('tsc', '--project', 'tsconfig.json')],
  ['eslint', () => tool('eslint', '--max-warnings=0', '.')],
  ['floors of lib/', () => tool('depcruise', 'lib')],
  ['markdownlint', () => tool('markdownlint-cli2')],
  ...formatting,
  ['clang-tidy', tidyAll],
  ['compiling for arm64', compileForArm64],
];

await main(async () => {
  const failures = [];
  for (const [name, action] of fix ? formatting : checks) {
    try {
      await step(name, action);
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      failures.push(name);
      process.stderr.write(`${error.message}\n`);
    }
  }
  if (failures.length > 0) {
    throw new ScriptError(`failed: ${failures.join(', ')}`);
  }
});
