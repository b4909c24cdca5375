// A real Chromium, and what it sees of a page.
import { spawnSync } from 'node:child_process';
import { ScriptError } from '../console.mjs';
import { fromSite } from './tools.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

function findChromium() {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM;
  for (const name of NAMES) {
    const { status, stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  throw new ScriptError(
    `no Chromium was found (${NAMES.join(', ')} in PATH, or CHROMIUM=/path/to/one). ` +
      'Install with: sudo apt-get install -y chromium',
  );
}

/** Starts Chromium; of playwright's own browsers none is needed. */
export async function launchChromium() {
  const executablePath = findChromium();
  const { chromium } = fromSite('playwright-core');
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({
    executablePath,
    args: [...args, '--disable-dev-shm-usage', '--disable-gpu'],
  });
}

const PATIENCE_MS = 120_000;

export const WIDTHS = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };

/** Opens pages, and keeps what goes wrong in them. */
export async function openTab(browser, viewport) {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
  // Machines are slow, and shared.
  context.setDefaultTimeout(PATIENCE_MS);
  const tab = await context.newPage();
  let errors = [];
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  tab.on('pageerror', (error) => errors.push(String(error)));
  tab.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
  });
  return {
    tab,
    async open(url) {
      errors = [];
      await tab.goto(url, { waitUntil: 'load' });
      await tab.waitForFunction(() => document.querySelector('#app')?.__vue_app__ !== undefined);
    },
    /** Goes to another page as a click on a link does, within the site. */
    async go(path) {
      errors = [];
      await tab.evaluate((href) => {
        document.title = '';
        const link = document.body.appendChild(document.createElement('a'));
        link.href = href;
        link.click();
        link.remove();
      }, path);
      await tab.waitForFunction(
        (href) => location.pathname === href && document.title !== '',
        path,
      );
    },
    /** What went wrong since the page was opened. */
    errors: () => errors,
  };
}

/** Of the page that is open: its links within the site, what they can lead to, and what looks wrong. */
export const look = (tab) =>
  tab.evaluate(() => ({
    title: document.title,
    headings: document.querySelectorAll('h1').length,
    ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    links: [...document.querySelectorAll('a[href]')]
      .map(({ href }) => href)
      .filter((href) => href.startsWith(location.origin)),
    lost: [...document.images]
      .filter((image) => image.complete && image.naturalWidth === 0)
      .map(({ src }) => src),
  }));

/** What is wider than the window, where the page can be scrolled sideways. */
export const tooWide = (tab) =>
  tab.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll('main *, .VPContent *')].filter(
      (element) => element.getBoundingClientRect().right > clientWidth + 1,
    );
    return [
      `${scrollWidth} px in ${clientWidth}`,
      ...wide.slice(0, 5).map(({ outerHTML }) => outerHTML.slice(0, 120)),
    ];
  });
