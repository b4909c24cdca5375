import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWithin } from '../../lib/text/is-within';
import { resolvePath } from '../../lib/host/paths';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'paths-')));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('isWithin', () => {
  it.each([
    ['/a', '/a', true],
    ['/a/b', '/a', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['/anything', '/', true],
    ['/', '/', true],
  ])('%s in %s: %s', (path, directory, expected) => {
    expect(isWithin(path, directory)).toBe(expected);
  });
});

describe('resolvePath', () => {
  it('finds no link on a plain path', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await resolvePath(join(folder, 'file'))).toEqual({
      links: [],
      real: join(folder, 'file'),
    });
  });

  it('follows links in every place, absolute and relative, in their order', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'file'), '');
    symlinkSync('real', join(folder, 'relative'));
    symlinkSync(join(folder, 'relative'), join(folder, 'absolute'));
    symlinkSync('../real/./file', join(folder, 'real', 'inner'));
    expect(await resolvePath(join(folder, 'absolute', 'inner'))).toEqual({
      links: [
        { path: join(folder, 'absolute'), target: join(folder, 'relative') },
        { path: join(folder, 'relative'), target: 'real' },
        { path: join(folder, 'real', 'inner'), target: '../real/./file' },
      ],
      real: join(folder, 'real', 'file'),
    });
  });

  it('rejects a loop', async () => {
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    await expect(resolvePath(join(folder, 'a'))).rejects.toMatchObject({ code: 'ELOOP' });
  });

  it('rejects what is missing, also behind a link', async () => {
    symlinkSync('missing', join(folder, 'dangling'));
    await expect(resolvePath(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(resolvePath(join(folder, 'dangling'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('knows the root', async () => {
    expect(await resolvePath('/')).toEqual({ links: [], real: '/' });
  });
});
