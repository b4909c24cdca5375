// `codejail run --collect … --open`: on a desktop what xdg-open is given, elsewhere what is said.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codejail, type Ended } from '../support/command-line';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'open-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Leaves a picture, what is called one, and a page. */
const PLOTS = `
with open('tmp/plot.png', 'wb') as file: file.write(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(20))
with open('tmp/page.png', 'w') as file: file.write('<script>alert(1)</script>')
with open('tmp/page.html', 'w') as file: file.write('<script>alert(1)</script>')
`;

/** A desktop whose xdg-open writes down what it is given. */
function desktop(): { env: NodeJS.ProcessEnv; opened: () => Promise<string[]> } {
  const log = join(folder, 'opened');
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/xdg-open'), `#!/bin/sh\necho "$@" >> ${log}\n`);
  chmodSync(join(folder, 'bin/xdg-open'), 0o755);
  return {
    env: {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      DISPLAY: ':7',
      WAYLAND_DISPLAY: '',
    },
    opened: async () => {
      // It is not waited for.
      for (let tries = 0; !existsSync(log) && tries < 200; tries += 1) await sleep(50);
      return readFileSync(log, 'utf8').trim().split('\n');
    },
  };
}

const run = async (env: NodeJS.ProcessEnv, ...words: string[]): Promise<Ended> =>
  codejail(['run', '--realtime', '60', ...words, '-c', PLOTS], { cwd: folder, env });

it('opens a picture, and nothing that only is called one', async () => {
  const { env, opened } = desktop();
  const { status, stderr } = await run(env, '--collect', '*', '--open');
  expect(status).toBe(0);
  expect(await opened()).toEqual([join(folder, 'collected/plot.png')]);
  expect(stderr).toContain('not opened: 2 that are no pictures');
});

it('says where it is, where there is no display', async () => {
  const { status, stderr } = await run(
    { DISPLAY: '', WAYLAND_DISPLAY: '' },
    ...['--collect', 'plot.png', '--open'],
  );
  expect(status).toBe(0);
  expect(stderr).toContain(
    `there is no display to open it on: ${join(folder, 'collected/plot.png')}`,
  );
});

it('opens nothing unless it is told to', async () => {
  const { env } = desktop();
  await run(env, '--collect', '*');
  expect(existsSync(join(folder, 'opened'))).toBe(false);
});

it('wants to know what to bring back', async () => {
  const { status, stderr } = await run({}, '--open');
  expect(status).toBe(64);
  expect(stderr).toContain("--collect '*.png' --open");
});
