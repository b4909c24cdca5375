// The page in a real browser, at two widths. `node --test`
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createJail } from 'codejail';
import { launch } from 'puppeteer-core';
import { makeServer } from './server.mjs';

const CHROMIUM =
  process.env.CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const { SCREENSHOTS } = process.env;
const WIDTHS = {
  phone: { width: 390, height: 844, isMobile: true, hasTouch: true },
  desk: { width: 1280, height: 800 },
};

let jail;
let server;
let base;
let browser;

before(async () => {
  assert.ok(CHROMIUM, 'there is no Chromium: apt-get install chromium, or name it by CHROMIUM');
  jail = createJail({ commands: { python: { bin: 'python3', warm: true } } });
  await jail.warmUp();
  server = makeServer(jail);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch({
    executablePath: CHROMIUM,
    // A sandbox of its own takes a user namespace, which root of a container may not have. It sees this page alone.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    timeout: 120_000,
    protocolTimeout: 120_000,
  });
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  await jail?.close();
});

/** Opens the page, at a width; `complaints` has what the browser has to say against it. */
async function open(viewport) {
  const page = await browser.newPage();
  const complaints = [];
  page.setDefaultTimeout(90_000);
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.setViewport(viewport);
  await page.goto(base);
  await page.waitForFunction(() => document.title === 'Running total');
  return { page, complaints };
}

const textOf = (page, id) => page.$eval(`#${id}`, ({ textContent }) => textContent);

async function submit(page, code) {
  await page.$eval('#code', (area, text) => (area.value = text), code);
  await page.click('#run');
}

async function verdict(page) {
  await page.waitForFunction(() => !document.getElementById('run').disabled);
  return textOf(page, 'verdict');
}

async function keep(page, name) {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

for (const [name, viewport] of Object.entries(WIDTHS)) {
  describe(`at a ${name}'s width`, () => {
    let page;
    let complaints;
    before(async () => {
      ({ page, complaints } = await open(viewport));
    });
    after(async () => {
      await page.close();
      assert.deepEqual(complaints, []);
    });

    test('the program that stands there is right', async () => {
      await keep(page, `${name}-empty`);
      await page.click('#run');
      assert.match(await verdict(page), /^Right: Every sum is right\. It took \d/);
      assert.equal(await textOf(page, 'output'), '4\n14\n11\n36\n36\n0\n');
      await keep(page, `${name}-right`);
    });

    test('nothing stands beyond its edge, also where a line is long', async () => {
      await submit(page, 'print("x" * 2000)');
      assert.match(await verdict(page), /^Wrong: Line 1 should be 4\./);
      const [inner, whole] = await page.evaluate(() => [
        document.documentElement.clientWidth,
        document.documentElement.scrollWidth,
      ]);
      assert.equal(whole, inner);
      await keep(page, `${name}-wrong`);
    });

    test('what a finger has to meet is large enough', async () => {
      for (const id of ['run', 'stop']) {
        const { height } = await (await page.$(`#${id}`)).boundingBox();
        assert.ok(height >= 44, `${id} is ${height} high`);
      }
    });
  });
}

describe('a program', () => {
  let page;
  let complaints;
  before(async () => {
    ({ page, complaints } = await open(WIDTHS.desk));
  });
  after(async () => page.close());

  test("shows its output while it runs, and 'Stop' ends it", async () => {
    await submit(page, 'import time\nprint("first")\ntime.sleep(600)');
    await page.waitForFunction(() => document.getElementById('output').textContent === 'first\n');
    assert.equal(await textOf(page, 'verdict'), 'It runs …');
    await page.click('#stop');
    assert.equal(await verdict(page), 'Stopped.');
    for (let tries = 0; jail.stats().running > 0; tries += 1) {
      assert.ok(tries < 600, 'the jail has not ended');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(jail.stats().outcomes.rejected, 1);
  });

  test('that never ends meets its limit', async () => {
    await submit(page, 'while True: pass');
    // On a busy machine its time is over before it has had its second of a processor.
    assert.match(
      await verdict(page),
      /^Wrong: It (used more than 3 s of CPU time|ran for more than 20 s)\./,
    );
  });

  test('that fails shows its traceback', async () => {
    await submit(page, '1 / 0');
    assert.match(await verdict(page), /^Wrong: It ended with status 1\./);
    assert.match(await textOf(page, 'output'), /ZeroDivisionError/);
  });

  test('that prints a page of its own prints text', async () => {
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await submit(page, `print('''${hostile}''')`);
    await verdict(page);
    assert.equal(await textOf(page, 'output'), `${hostile}\n`);
    assert.equal(await page.title(), 'Running total');
    assert.deepEqual(complaints, []);
  });
});

test('a program that is too long is refused, in words', async () => {
  const response = await fetch(`${base}run`, { method: 'POST', body: 'x'.repeat(100_000) });
  assert.deepEqual([response.status, await response.text()], [413, 'The program is too long.']);
});
