// Hostile Python, run in a jail: each attempt says how far it got.
import type { Jail, JailCodeOptions } from '../../lib/index';
import type { JailResult } from '../../lib/run/result';
import { createJail } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { IN_PYTHON } from '../support/system-calls';

/** The bounds of these suites: generous, so that only the attacked limit can end an attack. */
export const LIMITS = { realtime: 20, cpu: 10, fsize: 4 * 1024 * 1024 } as const;

/** Whether the numbers and the machine code of x86-64 apply. */
export const isX64 = process.arch === 'x64';

// `call` makes a system call by its name, or by a number that has none.
// `attempt` prints "reached" with what a function gave, or the name of the error that stopped it.
const PRELUDE = `
import ctypes, errno, json, os, platform, resource, signal, socket, sys, threading, time
${IN_PYTHON}
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(which, *arguments):
    number = which if isinstance(which, int) else system_calls[which]
    words = [word if isinstance(word, (bytes, ctypes.Array, ctypes._Pointer)) or word is None
             or type(word).__name__ == 'CArgObject' else ctypes.c_long(word) for word in arguments]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), 'refused')
    return result
def say(name, outcome):
    os.write(1, (json.dumps([name, outcome]) + '\\n').encode())
def attempt(name, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        say(name, errno.errorcode.get(error.errno, str(error)))
    except MemoryError:
        say(name, 'ENOMEM')
    else:
        say(name, 'reached')
`;

/** How far each attempt got, by its name: `reached`, an error's name, or what the attack said. */
export type Outcomes = Record<string, unknown>;

/** Reads what `attempt` and `say` printed. */
export function outcomesOf(result: JailResult): Outcomes {
  const lines = result.stdout.toString().split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, unknown]));
}

/** A jail for these suites. */
export function attackedJail(): Jail {
  return createJail({ limits: LIMITS });
}

/** A new jail for each test of a suite; what its tests leave behind fails them. */
export function useAttackedJail(): { readonly jail: Jail } {
  let jail: Jail;
  beforeEach(() => {
    jail = attackedJail();
  });
  afterEach(async () => {
    await jail.close();
  });
  // Last, so that it looks when the jail has tidied up.
  watchLeftovers();
  return {
    get jail() {
      return jail;
    },
  };
}

/** Runs an attack, whatever becomes of it. */
export async function run(
  jail: Jail,
  attack: string,
  options: JailCodeOptions = {},
): Promise<JailResult> {
  return jail.jailCode('python', { code: PRELUDE + attack, ...options });
}

/** Runs an attack that is to get to its end, and tells how far its attempts got. */
export async function outcomes(
  jail: Jail,
  attack: string,
  options: JailCodeOptions = {},
): Promise<Outcomes> {
  const result = await run(jail, attack, options);
  expect({ stderr: result.stderr.toString(), outcome: result.outcome }).toEqual({
    stderr: '',
    outcome: 'exited',
  });
  expect(result.status).toBe(0);
  return outcomesOf(result);
}

/** Expects that every one of `names` was tried and that none got anywhere. */
export function expectDenied(found: Outcomes, names: readonly string[]): void {
  expect(Object.keys(found).sort()).toEqual([...names].sort());
  for (const name of names) {
    expect(`${name}: ${String(found[name])}`).toMatch(/: E[A-Z0-9]+$/);
  }
}
