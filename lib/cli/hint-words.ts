// Hints name options as calls have them; whoever types a command has flags.
import { LIMIT_NAMES } from '../limits';
import { limitFlag } from './limit-options';

const FLAGS: readonly (readonly [option: string, flag: string])[] = [
  ['the option readPaths of the command shows', 'the option --read-path shows'],
  ['files and extraFiles of the call put a copy', '--file puts a copy'],
  ['the options files and extraFiles put files', 'the option --file puts files'],
  [
    'the option allowExec alone, of what readPaths',
    'the option --allow-exec alone, of what --read-path',
  ],
  ["the option cwd: 'tmp'", 'the option --cwd tmp'],
  ...LIMIT_NAMES.map(
    (name) => [`the option limits.${name} sets`, `the option ${limitFlag(name)} sets`] as const,
  ),
];

/** A hint's message with the flags of `codejail run` for options. */
export function withFlags(message: string): string {
  return FLAGS.reduce((text, [option, flag]) => text.replaceAll(option, flag), message);
}
