// Globs over names that hostile code chose. Never more than pattern × name steps: a pattern turned into
// a regular expression lets a long name hold up the event loop.

// Matches two lists, in which `isMany(pattern)` stands for any number of items: on a mismatch the last
// such place takes one item more, and no earlier one ever has to.
function matchLists<P, T>(
  patterns: readonly P[],
  items: readonly T[],
  isMany: (pattern: P) => boolean,
  matches: (pattern: P, item: T) => boolean,
): boolean {
  let at = 0;
  let position = 0;
  let many = -1;
  let taken = 0;
  while (position < items.length) {
    const pattern = patterns[at];
    if (pattern !== undefined && isMany(pattern)) {
      many = at;
      taken = position;
      at += 1;
    } else if (pattern !== undefined && matches(pattern, items[position] as T)) {
      at += 1;
      position += 1;
    } else if (many >= 0) {
      taken += 1;
      position = taken;
      at = many + 1;
    } else {
      return false;
    }
  }
  return patterns.slice(at).every(isMany);
}

/** Whether one name fits a pattern of `*`, `?` and plain characters. */
function matchName(pattern: string, name: string): boolean {
  return matchLists(
    Array.from(pattern),
    Array.from(name),
    (character) => character === '*',
    (character, other) => character === '?' || character === other,
  );
}

/**
 * Whether a path fits a pattern: `*` is any part of a name, `?` one character, `**` any number of
 * directories. Names that begin with a dot are not special. A path also fits itself, whatever is in it.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  return (
    pattern === path ||
    matchLists(
      pattern.split('/'),
      path.split('/'),
      (segment) => segment === '**',
      (segment, name) => matchName(segment, name),
    )
  );
}
