// The site's own tools, in site/node_modules.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, run, step } from '../console.mjs';
import { withLock } from '../lock.mjs';
import { dependenciesAreStale } from '../stale.mjs';

/** The folder of the site. */
export const site = join(root, 'site');

/** Finds what is installed there. */
export const fromSite = createRequire(join(site, 'package.json'));

/** Installs what site/package-lock.json names, where it is not there. */
export async function installSiteTools() {
  if (!dependenciesAreStale(site)) return;
  await withLock(async () => {
    if (!dependenciesAreStale(site)) return;
    // Without scripts: what they would fetch or build comes in packages of its own.
    await step('installing the tools of the site (npm ci)', () =>
      run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', site]),
    );
  });
}
