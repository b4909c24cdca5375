// What is run: the same binary for everyone.
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {string} bin
 * @property {string[]} args as a plain spawn needs them
 * @property {string | null} code what codejail gets in their place
 * @property {string[]} directories what a peer has to show besides the system's own
 * @property {string} output what it prints
 */

/**
 * `/bin/true`, and `print(1)` in a Python.
 * @param {string} command the Python: a path, or a name that PATH has
 * @returns {Program[]}
 */
export function readPrograms(command) {
  // A version manager's python3 is a shell script; the binary behind it is what a server would configure.
  const [python, ...prefixes] = JSON.parse(
    execFileSync(command, [
      '-c',
      'import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix]))',
    ]),
  );
  const code = 'print(1)';
  return [
    { name: 'true', bin: '/bin/true', args: [], code: null, directories: [], output: '' },
    {
      name: 'python',
      bin: python,
      args: ['-E', '-B', '-c', code],
      code,
      directories: [...new Set(prefixes.map((path) => realpathSync(path)))].filter(
        (path) => !path.startsWith('/usr'),
      ),
      output: '1\n',
    },
  ];
}
