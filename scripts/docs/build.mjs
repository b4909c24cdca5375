// From sources to a folder of HTML.
import { join } from 'node:path';
import { run, step } from '../console.mjs';
import { layPages } from './pages.mjs';
import { site } from './tools.mjs';

const bin = (path) => [join(site, 'node_modules', path)];

/** Builds the site; resolves to its folder. What is not documented, or a link that leads nowhere, is an error. */
export async function buildSite() {
  layPages();
  await step('the API reference (typedoc)', () =>
    run(
      process.execPath,
      [...bin('typedoc/bin/typedoc'), '--options', join(site, 'typedoc.json')],
      { cwd: site },
    ),
  );
  await step('the site (vitepress)', () =>
    run(process.execPath, [...bin('vitepress/bin/vitepress.js'), 'build', site], { cwd: site }),
  );
  return join(site, 'dist');
}
