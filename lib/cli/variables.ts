// The environment variables of the option --env.
import { usageError } from './failure';

/**
 * `NAME=VALUE`, or `NAME` for this process's own value.
 * @throws CommandLineError
 */
export function variablesOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at > 0) {
        return [word.slice(0, at), word.slice(at + 1)];
      }
      const own = at === 0 ? undefined : process.env[word];
      if (own === undefined) {
        throw usageError(
          `--env: ${at === 0 ? `"${word}" has no name` : `${word} is not set here`}; write NAME=VALUE`,
        );
      }
      return [word, own];
    }),
  );
}
