// Finds a program as a command does, without one.
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';
import { askPython } from '../../lib/command/python-question';
import { discoverRuntime, type Runtime, type WantedProgram } from '../../lib/host/runtime';

/** What `discoverRuntime` finds, a Python being asked in a jail. */
export async function find(
  bin: string,
  {
    readPaths = [],
    python,
    argument = 'bin',
  }: Partial<Omit<WantedProgram, 'bin'>> & { argument?: string } = {},
): Promise<Runtime> {
  return discoverRuntime(
    { bin, readPaths, python },
    {
      argument,
      ask: async (question) =>
        askPython(question, {
          ...{ allowExec: false, profile: undefined, user: undefined },
          uidPool: DEFAULT_UID_POOL,
        }),
    },
  );
}
