// Which paths nobody but root and this process's user can change.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openToStrangers } from '../../lib/host/ownership';

const isRoot = process.geteuid?.() === 0;
const asRoot = isRoot ? it : it.skip;

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'ownership-')));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, mode = 0o755): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

it('finds nobody in what is this user’s own, below a sticky directory', async () => {
  expect(await openToStrangers(file('venv/bin/python'))).toBeUndefined();
});

it('finds nobody in what is the system’s', async () => {
  expect(await openToStrangers('/usr/bin/env')).toBeUndefined();
});

it('tells of a file that everybody may write', async () => {
  const path = file('python', 0o777);
  expect(await openToStrangers(path)).toBe(`${path} may be written by everybody`);
});

it('tells of a directory on the way that everybody may write', async () => {
  const path = file('venv/bin/python');
  chmodSync(join(folder, 'venv'), 0o777);
  expect(await openToStrangers(path)).toBe(`${join(folder, 'venv')} may be written by everybody`);
});

it('finds nobody in a directory that is everybody’s, but sticky', async () => {
  const path = file('venv/bin/python');
  chmodSync(join(folder, 'venv'), 0o1777);
  expect(await openToStrangers(path)).toBeUndefined();
});

it('follows links, and looks at where they stand and where they lead', async () => {
  const target = file('elsewhere/python');
  mkdirSync(join(folder, 'links'));
  symlinkSync(target, join(folder, 'links/python'));
  expect(await openToStrangers(join(folder, 'links/python'))).toBeUndefined();
  chmodSync(join(folder, 'links'), 0o777);
  expect(await openToStrangers(join(folder, 'links/python'))).toContain('links may be written');
  chmodSync(join(folder, 'links'), 0o755);
  chmodSync(join(folder, 'elsewhere'), 0o777);
  expect(await openToStrangers(join(folder, 'links/python'))).toContain('elsewhere may be written');
});

asRoot('tells of another user’s file, directory and link (root only: it takes chown)', async () => {
  const path = file('python');
  chownSync(path, 61_234, 0);
  expect(await openToStrangers(path)).toBe(`${path} belongs to the user 61234`);
  chownSync(path, 0, 0);
  chownSync(folder, 61_234, 0);
  expect(await openToStrangers(path)).toBe(`${folder} belongs to the user 61234`);
});

asRoot('tells of a group that others may be in (root only: it takes chown)', async () => {
  const path = file('python', 0o775);
  expect(await openToStrangers(path)).toBeUndefined();
  chownSync(path, 0, 61_234);
  expect(await openToStrangers(path)).toBe(`${path} may be written by the group 61234`);
});
