// What keeps a release from being made, before anything is built.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'release-'));
  cpSync(join(root, 'scripts'), join(clone, 'scripts'), { recursive: true });
  write('package.json', JSON.stringify({ name: 'codejail', version: '1.2.3' }));
  write('package-lock.json', JSON.stringify({ version: '1.2.3' }));
  write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-01-31\n\n- All of it.\n');
  git('init', '--quiet');
  commit();
});
afterEach(() => {
  rmSync(clone, { recursive: true });
});

const write = (path: string, text: string): void => {
  writeFileSync(join(clone, path), text);
};
const git = (...words: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
    ...{ cwd: clone, encoding: 'utf8' },
  });
const commit = (): void => {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'A commit');
};
const release = () =>
  spawnSync(process.execPath, [join(clone, 'scripts/release.mjs'), '--packed'], {
    ...{ cwd: clone, encoding: 'utf8' },
  });

it('goes on to the packages where nothing is against it', () => {
  const { status, stderr } = release();
  expect(stderr).toContain('there are no tarballs: leave --packed out');
  expect(status).toBe(1);
});

it.each<[string, () => void, string]>([
  [
    'a tree that is not clean',
    () => {
      write('left.txt', '');
    },
    'the tree is not clean:\n?? left.txt',
  ],
  [
    'a version that has a tag',
    () => {
      git('tag', 'v1.2.3');
    },
    'there is a tag v1.2.3 already',
  ],
  [
    'a lock of another version',
    () => {
      write('package-lock.json', JSON.stringify({ version: '1.2.2' }));
      commit();
    },
    'package-lock.json has another version',
  ],
  [
    'a changelog without the version',
    () => {
      write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- All of it.\n');
      commit();
    },
    'CHANGELOG.md has no heading "## 1.2.3 - YYYY-MM-DD"',
  ],
  [
    'a changelog with more to come',
    () => {
      write('CHANGELOG.md', '## Unreleased\n\n- More.\n\n## 1.2.3 - 2026-01-31\n\n- All of it.\n');
      commit();
    },
    'CHANGELOG.md has something under "Unreleased" yet',
  ],
])('is refused by %s', (_, change, objection) => {
  change();
  const { status, stderr } = release();
  expect(stderr).toContain("1.2.3 can't be released");
  expect(stderr).toContain(objection);
  expect(status).toBe(1);
});
