// The Python that is there where nobody configured one.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCommandOptions } from '../options/command';
import type { CommandArguments } from '../options/types';

/** The directory of the nearest package.json, upwards from the working directory. */
export function projectRoot(): string | undefined {
  let directory = process.cwd();
  for (;;) {
    if (existsSync(join(directory, 'package.json'))) {
      return directory;
    }
    const parent = dirname(directory);
    if (parent === directory) {
      return undefined;
    }
    directory = parent;
  }
}

/**
 * The command `python` where nobody configured it: the environment that CodeJail's own tests name by
 * CODEJAIL_TEST_USER and CODEJAIL_TEST_VENV; else an environment `<project root>-sandbox` beside the
 * project; else the system's python3. Undefined where there is none of them.
 */
export function autoConfiguredPython(): CommandArguments | undefined {
  const user = process.env['CODEJAIL_TEST_USER'];
  const environment = process.env['CODEJAIL_TEST_VENV'];
  if (user !== undefined && user !== '' && environment !== undefined && environment !== '') {
    return parseCommandOptions({ bin: join(environment, 'bin', 'python'), user });
  }
  const root = projectRoot();
  const beside = root === undefined ? undefined : join(`${root}-sandbox`, 'bin', 'python');
  if (beside !== undefined && existsSync(beside)) {
    const hasUser = /^sandbox:/m.test(readFileSync('/etc/passwd', 'utf8'));
    return {
      ...parseCommandOptions({ bin: beside, ...(hasUser ? { user: 'sandbox' } : {}) }),
      python: 'owned',
    };
  }
  const found = (process.env['PATH'] ?? '/usr/bin:/bin')
    .split(':')
    .some((directory) => directory !== '' && existsSync(join(directory, 'python3')));
  return found ? { ...parseCommandOptions('python3'), python: 'owned' } : undefined;
}
