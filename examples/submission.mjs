// What the students handed in.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Reads the submissions of a directory, in the order of their names.
 * @param {string} directory holds one `.py` file for each submission; its first line says what the
 *   demo expects of it: `# expect: right 7/7`
 * @returns {{ name: string, source: string, expected: { verdict: string, points: number } }[]}
 */
export function readSubmissions(directory) {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.py'))
    .sort()
    .map((name) => {
      const source = readFileSync(join(directory, name), 'utf8');
      const [, verdict, points] = /^# expect: (.+) (\d+)\/\d+\n/.exec(source) ?? [];
      if (verdict === undefined) {
        throw new Error(`${name} must begin with a line such as "# expect: right 7/7"`);
      }
      return { name, source, expected: { verdict, points: Number(points) } };
    });
}
