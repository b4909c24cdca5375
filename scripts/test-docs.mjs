// Looks at the documentation's site in a real Chromium: every page opens without an error, every link and anchor leads
// somewhere, nothing is wider than a phone or a desk, the search finds what is there, the dark is dark. Screenshots are in
// site/screenshots. Prints what failed, and as the last line `N passed, N failed`.
//   --built   the site as it was built last
//   --whole   screenshots of whole pages, not of what fits a window
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { main, ScriptError, step } from './console.mjs';
import { launchChromium, look, openTab, tooWide, WIDTHS } from './docs/browser.mjs';
import { buildSite } from './docs/build.mjs';
import { serve } from './docs/server.mjs';
import { installSiteTools, site } from './docs/tools.mjs';

const screenshots = join(site, 'screenshots');

let passed = 0;
let failed = 0;
function check(title, problems) {
  if (problems.length === 0) {
    passed += 1;
    return;
  }
  failed += 1;
  console.log(`failed  ${title}\n  ${problems.slice(0, 10).join('\n  ')}`);
}

const pagesOf = (directory) =>
  readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith('.html') && name !== '404.html')
    .sort();

/** What is drawn: each page that somebody has written, and of the reference one of each kind. */
function isShown(page) {
  return (
    !page.startsWith('api/') ||
    /(?:^|\/)(?:index|safeExec|Jail|JailCodeOptions|JailResult)\.html$/.test(page)
  );
}

const nameOf = (page) => page.replaceAll('/', '-').replace(/\.html$/, '');

/** Looks at one page, in the width of the tab. */
async function lookAt({ tab, open, go, errors }, width, base, page) {
  // The pages of the reference are alike: they are opened as by a click, which takes a fifth of the time.
  await (isShown(page) ? open(`${base}/${page}`) : go(`/${page}`));
  const seen = await look(tab);
  const wide = await tooWide(tab);
  if (isShown(page)) {
    const fullPage = process.argv.includes('--whole') || page === 'index.html';
    await tab.screenshot({ path: join(screenshots, width, `${nameOf(page)}.png`), fullPage });
  }
  check(`${page} has no error at the width of a ${width}`, errors());
  check(`${page} fits a ${width}`, wide);
  return seen;
}

function checkContent(page, seen) {
  check(`${page} has a title, a heading and its pictures`, [
    ...(seen.title.includes('codejail') && !seen.title.includes('404')
      ? []
      : [`its title is "${seen.title}"`]),
    ...(seen.headings === 1 ? [] : [`${seen.headings} headings of the first level`]),
    ...seen.lost.map((src) => `${src} is not there`),
  ]);
}

function checkLinks(seen) {
  const ids = new Map([...seen].map(([page, each]) => [page, new Set(each.ids)]));
  for (const [page, { links }] of seen) {
    const broken = links.filter((link) => {
      const { pathname, hash } = new URL(link);
      const path = decodeURIComponent(pathname).slice(1);
      const target = path === '' || path.endsWith('/') ? `${path}index.html` : path;
      const there = ids.get(target);
      return there === undefined || (hash !== '' && !there.has(decodeURIComponent(hash.slice(1))));
    });
    check(`the links of ${page} lead somewhere`, broken);
  }
}

/** The first page that the search finds. */
async function search({ tab, open }, base, words) {
  await tab.setViewportSize(WIDTHS.desk);
  await open(`${base}/`);
  await tab.keyboard.press('Control+k');
  await tab.locator('#localsearch-input').fill(words);
  await tab.locator('.VPLocalSearchBox .result').first().waitFor();
  await tab.screenshot({ path: join(screenshots, 'desk', 'search.png') });
  await tab.keyboard.press('Enter');
  await tab.waitForURL((url) => url.pathname.length > 1);
  return new URL(tab.url()).pathname;
}

async function tried(title, action) {
  try {
    check(title, await action());
  } catch (error) {
    check(title, [String(error)]);
  }
}

async function checkUse(opened, base) {
  const { tab, open } = opened;
  await tried('the search finds an error', async () => {
    const path = await search(opened, base, 'ERR_CODEJAIL_BUSY');
    return path.includes('errors') || path.includes('Busy') ? [] : [`it led to ${path}`];
  });
  await tried('the search finds a task', async () => {
    const path = await search(opened, base, 'judge contest');
    return path.includes('contests') ? [] : [`it led to ${path}`];
  });
  await tried('the dark is dark', async () => {
    await open(`${base}/warm-pools.html`);
    await tab.locator('.VPNavBarAppearance .VPSwitchAppearance').click();
    const dark = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await tab.screenshot({ path: join(screenshots, 'desk', 'dark.png'), fullPage: true });
    await open(`${base}/`);
    await tab.screenshot({ path: join(screenshots, 'desk', 'dark-index.png'), fullPage: true });
    const [red] = /\d+/.exec(dark);
    return Number(red) < 60 ? [] : [`the background is ${dark}`];
  });
  await tried('a phone has the menu', async () => {
    await tab.setViewportSize(WIDTHS.phone);
    await open(`${base}/grading.html`);
    await tab.locator('.VPLocalNav .menu').click();
    const link = tab.locator('.VPSidebar a', { hasText: 'Judge a contest' });
    await link.waitFor({ state: 'visible' });
    await tab.screenshot({ path: join(screenshots, 'phone', 'menu.png') });
    await link.click();
    await tab.waitForURL(/contests/);
    return [];
  });
}

async function lookAtAll(base, directory) {
  const browser = await launchChromium();
  try {
    const pages = pagesOf(directory);
    const seen = new Map();
    // Side by side, each in its own width: to change that takes longer than to open a page.
    await Promise.all(
      Object.entries(WIDTHS).map(async ([width, size]) => {
        const opened = await openTab(browser, size);
        await opened.open(`${base}/`);
        for (const page of pages) {
          // The reference's in the width that is harder to fit alone: they are three of four.
          if (width === 'phone' || isShown(page)) {
            seen.set(page, await lookAt(opened, width, base, page));
          }
        }
        await opened.tab.close();
      }),
    );
    for (const [page, each] of seen) checkContent(page, each);
    checkLinks(seen);
    await checkUse(await openTab(browser, WIDTHS.desk), base);
    return pages.length;
  } finally {
    await browser.close();
  }
}

await main(async () => {
  try {
    await installSiteTools();
    const directory = process.argv.includes('--built') ? join(site, 'dist') : await buildSite();
    rmSync(screenshots, { recursive: true, force: true });
    for (const name of Object.keys(WIDTHS)) mkdirSync(join(screenshots, name), { recursive: true });
    const server = await serve(directory);
    try {
      await step('looking at it in Chromium', () => lookAtAll(server.base, directory));
    } finally {
      await server.close();
    }
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    check('the site', [error.message]);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
});
