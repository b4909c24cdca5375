// Everything that is checked without running the code. `--fix`: formats instead.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { main, root, run, ScriptError, step } from './console.mjs';
import { installed } from './toolchain.mjs';

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

async function system(program, ...args) {
  if (!installed(program)) {
    throw new ScriptError(
      `${program} is not installed. Install with: sudo apt-get install -y ${program} (Debian, Ubuntu), ` +
        'sudo dnf install -y clang-tools-extra (Fedora, RHEL), sudo apk add clang-extra-tools (Alpine)',
    );
  }
  await run(program, args);
}

const everySource = sources(['native', 'bench', 'test'], ['.cc', '.h']);
const formatting = [
  ['prettier', () => tool('prettier', fix ? '--write' : '--check', '--log-level=warn', '.')],
  [
    'clang-format',
    () => system('clang-format', ...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...everySource),
  ],
];
const checks = [
  ['tsc', () => tool('tsc', '--project', 'tsconfig.json')],
  ['eslint', () => tool('eslint', '--max-warnings=0', '.')],
  ...formatting,
  [
    'clang-tidy',
    () =>
      system(
        'clang-tidy',
        '--quiet',
        ...sources(['native/core', 'native/launcher'], ['.cc']),
        '--',
        '-std=c++17',
        '-Inative',
        '-Inative/core',
        // As node-gyp does for release builds; some headers differ.
        '-D_GNU_SOURCE',
      ),
  ],
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
