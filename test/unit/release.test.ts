// What keeps a release from being made, before anything is built.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'release-'));
  for (const name of ['scripts', 'binding.gyp']) {
    cpSync(join(root, name), join(clone, name), { recursive: true });
  }
  write('.gitignore', 'prebuilds/\n');
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

/** A tarball as npm packs it. */
function pack(file: string, manifest: object, files: readonly string[] = []): void {
  mkdirSync(join(clone, 'prebuilds/package'), { recursive: true });
  for (const name of ['package.json', ...files]) {
    write(`prebuilds/package/${name}`, name === 'package.json' ? JSON.stringify(manifest) : '');
  }
  const words = ['-czf', `prebuilds/${file}.tgz`, '-C', 'prebuilds', 'package'];
  execFileSync('tar', words, { cwd: clone });
  rmSync(join(clone, 'prebuilds/package'), { recursive: true });
}

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

it('is refused by a package of a platform that lacks a binary', () => {
  const version = '1.2.3';
  pack('codejail', {
    ...{ name: 'codejail', version },
    optionalDependencies: { '@codejail/linux-x64-glibc': version },
  });
  const binaries = ['codejail.node', 'codejail-launcher', 'codejail-cell.so', 'codejail-output.so'];
  pack('x64', { name: '@codejail/linux-x64-glibc', version }, binaries);
  const { status, stderr } = release();
  expect(stderr).toMatch(/x64\.tgz lacks codejail-probe$/m);
  expect(status).toBe(1);
});
