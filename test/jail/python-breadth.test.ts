// Ordinary Python programs: as much of the standard library as a jail serves, with the result that it has outside.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { autoConfiguredPython } from '../../lib/command/default-python';
import { watchLeftovers } from '../support/leftovers';
import { program } from '../support/programs';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const LIMITS = { realtime: 60, cpu: 30, fsize: 8 << 20, nproc: 32 };
const python = autoConfiguredPython()?.bin ?? 'python3';

function outside(name: string): string {
  mkdirSync(join(suite.folder, 'tmp'), { recursive: true });
  const path = suite.file(name, program(name));
  return execFileSync(python, ['-E', '-B', path], { cwd: suite.folder, encoding: 'utf8' });
}

async function inside(name: string): Promise<string> {
  return suite.printed(program(name), { limits: LIMITS });
}

describe('ordinary Python', () => {
  it('supports the standard library', async () => {
    expect(await inside('breadth.py')).toBe(outside('breadth.py'));
  }, 120_000);

  const lacking =
    spawnSync(python, ['-c', 'import numpy']).status === 0
      ? ''
      : ' (needs numpy beside this Python)';
  (lacking === '' ? it : it.skip)(
    `supports numpy, with the threads of its linear algebra${lacking}`,
    async () => {
      expect(await inside('linear_algebra.py')).toBe(outside('linear_algebra.py'));
    },
    120_000,
  );
});
