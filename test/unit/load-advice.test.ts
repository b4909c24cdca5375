// Why the package can't run where it is, as whoever starts a server there is told.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAdvice } from '../../lib/native/load-advice';

const root = join(__dirname, '../..');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const PERMISSION =
  major > 23 || (major === 23 && minor >= 5) ? '--permission' : '--experimental-permission';

/** What a call says in a server that is started so. */
function failureOf(entry: string, flags: readonly string[] = []): string {
  const script = `
    const { createJail } = require(${JSON.stringify(entry)});
    createJail().jailCode('python', { code: '1' }).then(() => 'it ran', (error) => error.code + ' ' + error.message)
      .then((text) => console.log(text));`;
  return execFileSync(process.execPath, [...flags, '--no-warnings', '-e', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

it('tells a bundled server to mark the package external', () => {
  const app = mkdtempSync(join(tmpdir(), 'bundled-'));
  try {
    // What a bundler leaves of it: code, in the output of another package.
    cpSync(join(root, 'dist'), join(app, 'out'), { recursive: true });
    const entry = join(app, 'out/index.js');
    expect(failureOf(entry)).toMatch(/^ERR_CODEJAIL_SETUP .*bundled.*--external:codejail/);
    writeFileSync(join(app, 'package.json'), '{"name":"app"}');
    expect(failureOf(entry)).toMatch(/^ERR_CODEJAIL_SETUP .*bundled.*serverExternalPackages/);
  } finally {
    rmSync(app, { recursive: true });
  }
});

it('tells of Node’s permission model, and what to allow', () => {
  const flags = [PERMISSION, '--allow-fs-read=*'];
  expect(failureOf(root, flags)).toMatch(/^ERR_CODEJAIL_SETUP .*--allow-addons/);
});

it('tells that it runs on Linux only', () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  try {
    expect(loadAdvice(root, new Error('no binary'))).toMatch(/Linux only.*darwin/);
  } finally {
    Object.defineProperty(process, 'platform', platform);
  }
});

it('says nothing of a package that is where it was installed', () => {
  expect(loadAdvice(root, new Error('no binary'))).toBeUndefined();
});
