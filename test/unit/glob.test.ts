import { couldMatchBelow, matchesGlob } from '../../lib/text/glob';

describe('couldMatchBelow', () => {
  it.each([
    ['*', '', true],
    ['a', '', true],
    ['a', 'a', false],
    ['*', 'a', false],
    ['a/*', 'a', true],
    ['a/*', 'b', false],
    ['a/*', 'a/b', false],
    ['**', 'a/b', true],
    ['a/**/z', 'a/b/c', true],
    ['a/**/z', 'b/c', false],
    ['*/b?/c', 'x/bz', true],
  ])('of %j and the directory %j says %s', (pattern, directory, could) => {
    expect(couldMatchBelow(pattern, directory)).toBe(could);
  });
});

describe('matchesGlob', () => {
  it.each([
    ['plot.png', 'plot.png'],
    ['*.png', 'plot.png'],
    ['*', '.hidden'],
    ['a/*/c', 'a/b/c'],
    ['**', 'a/b/c'],
    ['**/*.txt', 'c.txt'],
    ['**/*.txt', 'a/b/c.txt'],
    ['a/**/z', 'a/z'],
    ['a/**/z', 'a/b/c/z'],
    ['f?.txt', 'f1.txt'],
    ['a*b*c', 'a-b-b-c'],
    ['**/a/**/b', 'x/a/y/a/z/b'],
    ['*', 'new\nline'],
    ['f?', 'f😀'],
    ['odd[1].txt', 'odd[1].txt'],
    ['**', '**'],
  ])('lets %j match %j', (pattern, path) => {
    expect(matchesGlob(pattern, path)).toBe(true);
  });

  it.each([
    ['*.png', 'a/plot.png'],
    ['*.png', 'plot.pngx'],
    ['a/*', 'a'],
    ['a/**/z', 'b/z'],
    ['f?.txt', 'f.txt'],
    ['a*b*c', 'a-c-b'],
    ['', 'a'],
    ['[ab]', 'a'],
  ])('does not let %j match %j', (pattern, path) => {
    expect(matchesGlob(pattern, path)).toBe(false);
  });

  it('takes no longer than pattern times name, whatever hostile code has made', () => {
    const name = '-'.repeat(255);
    const pattern = `${'*-'.repeat(50)}x`;
    const path = Array.from({ length: 15 }, () => name).join('/');
    expect(matchesGlob(pattern, name)).toBe(false);
    expect(matchesGlob(`${'**/*-*/'.repeat(10)}x`, path)).toBe(false);
  });
});
