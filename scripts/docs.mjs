// Builds the documentation's site into site/dist: the pages of docs/, SECURITY.md and CHANGELOG.md, and the API reference of
// lib/'s doc comments. Its tools are installed by site/package-lock.json.
import { main } from './console.mjs';
import { buildSite } from './docs/build.mjs';
import { installSiteTools } from './docs/tools.mjs';

await main(async () => {
  await installSiteTools();
  const directory = await buildSite();
  console.log(`The site is in ${directory}: look at it with npx serve ${directory}`);
});
