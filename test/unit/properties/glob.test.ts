// Globs beside a reference that tries every way.
import fc from 'fast-check';
import { matchesGlob } from '../../../lib/text/glob';

jest.setTimeout(120_000);

function matchesList<P, T>(
  patterns: readonly P[],
  items: readonly T[],
  isMany: (pattern: P) => boolean,
  matches: (pattern: P, item: T) => boolean,
): boolean {
  const [pattern, ...rest] = patterns;
  if (patterns.length === 0) {
    return items.length === 0;
  }
  if (isMany(pattern as P)) {
    return (
      matchesList(rest, items, isMany, matches) ||
      (items.length > 0 && matchesList(patterns, items.slice(1), isMany, matches))
    );
  }
  return (
    items.length > 0 &&
    matches(pattern as P, items[0] as T) &&
    matchesList(rest, items.slice(1), isMany, matches)
  );
}

function reference(pattern: string, path: string): boolean {
  return (
    pattern === path ||
    matchesList(
      pattern.split('/'),
      path.split('/'),
      (segment) => segment === '**',
      (segment, name) =>
        matchesList(
          Array.from(segment),
          Array.from(name),
          (character) => character === '*',
          (character, other) => character === '?' || character === other,
        ),
    )
  );
}

const textOf = (...units: string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...units), { maxLength: 9 }).map((parts) => parts.join(''));

it('matches what one way or another of taking it apart matches', () => {
  fc.assert(
    fc.property(
      textOf('a', 'b', '*', '**', '?', '/', '😀'),
      textOf('a', 'b', '/', '.', '😀'),
      (pattern, path) => {
        expect(matchesGlob(pattern, path)).toBe(reference(pattern, path));
      },
    ),
    { numRuns: 10_000 },
  );
});

it('lets every path match itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (path) => {
      expect(matchesGlob(path, path)).toBe(true);
    }),
  );
});
