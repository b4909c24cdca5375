function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substitution = from[row - 1] === to[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + substitution,
        ),
      );
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/**
 * The candidate that a misspelt word most likely meant, or undefined when none is near: the same letters
 * in another case, or at most a third of the word's letters changed.
 */
export function suggestion(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) {
    return undefined;
  }
  const wanted = word.toLowerCase().replace(/[-_]/g, '');
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const apart = distance(wanted, candidate.toLowerCase());
    if (apart < least) {
      best = candidate;
      least = apart;
    }
  }
  return best;
}

/**
 * A sentence for an error about an unknown name: the likely spelling, or the list of those there are.
 */
export function suggestionSentence(word: string, candidates: readonly string[]): string {
  const meant = suggestion(word, candidates);
  if (meant !== undefined) {
    return `Did you mean "${meant}"?`;
  }
  return candidates.length === 0 ? 'There are none.' : `There are: ${candidates.join(', ')}.`;
}
