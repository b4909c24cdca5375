// Makes a clone ready to run: installs what package-lock.json names and builds what is out of date.
// It runs before anything is installed, so it uses Node's own modules only.
// `--dependencies`: install, but build nothing. `--sanitized`: also what test:native needs.
import { build } from './build.mjs';
import { main, run, ScriptError, step } from './console.mjs';
import { withLock } from './lock.mjs';
import { dependenciesAreStale, isStale } from './stale.mjs';

const parts = process.argv.includes('--dependencies')
  ? []
  : ['native', 'ts', ...(process.argv.includes('--sanitized') ? ['sanitized'] : [])];

function requireHost() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) {
    throw new ScriptError(`Node 20 or later is needed; this is ${process.version}`);
  }
  if (process.platform !== 'linux') {
    throw new ScriptError(`codejail runs on Linux only; this is ${process.platform}`);
  }
}

async function setUp() {
  if (dependenciesAreStale()) {
    // Without scripts: no dependency needs one, and the native part is built below where errors can be explained.
    await step('installing dependencies (npm ci)', () =>
      run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']),
    );
  }
  for (const part of parts) {
    if (isStale(part)) {
      await build(part);
    }
  }
}

await main(async () => {
  requireHost();
  if (dependenciesAreStale() || parts.some((part) => isStale(part))) {
    await withLock(setUp);
  }
});
