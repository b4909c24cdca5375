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

const STAR = 0x2a;
const QUESTION = 0x3f;

function lengthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}

/**
 * Whether one name fits a pattern of `*`, `?` and plain characters. As `matchLists` goes, but without a list of
 * characters, which takes longer than all the rest.
 */
function matchName(pattern: string, name: string): boolean {
  let at = 0;
  let position = 0;
  let many = -1;
  let taken = 0;
  while (position < name.length) {
    const code = at < pattern.length ? pattern.codePointAt(at) : undefined;
    if (code === STAR) {
      many = at;
      taken = position;
      at += 1;
    } else if (code !== undefined && (code === QUESTION || code === name.codePointAt(position))) {
      at += lengthAt(pattern, at);
      position += lengthAt(name, position);
    } else if (many >= 0) {
      taken += lengthAt(name, taken);
      position = taken;
      at = many + 1;
    } else {
      return false;
    }
  }
  while (pattern.charCodeAt(at) === STAR) {
    at += 1;
  }
  return at === pattern.length;
}

/** Whether something below the directory could fit the pattern. */
export function couldMatchBelow(pattern: string, directory: string): boolean {
  const segments = pattern.split('/');
  const names = directory === '' ? [] : directory.split('/');
  for (const [index, name] of names.entries()) {
    const segment = segments[index];
    if (segment === '**') {
      return true;
    }
    if (segment === undefined || !matchName(segment, name)) {
      return false;
    }
  }
  return segments.length > names.length;
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
