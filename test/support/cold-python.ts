// Python in a cold jail of a confinement that the test chooses, below the front door.
import { runCold, type ColdCall } from '../../lib/cold/cold';
import type { RunResult } from '../../lib/run/run';
import type { Confinement } from '../../lib/confinement/plan';
import { LimitTable, type Limits } from '../../lib/limits';
import { find } from './runtime';

/** Runs Python code. */
export async function coldPython(
  confinement: Confinement,
  code: string,
  limits: Partial<Limits>,
  call: Partial<ColdCall> = {},
): Promise<RunResult['result']> {
  const runtime = await find('/usr/bin/python3');
  const { result } = await runCold({
    confinement,
    view: runtime.view,
    limits: new LimitTable().effective(null, limits),
    mechanisms: [],
    program: runtime.program,
    argv: [runtime.program, '-E', '-B', 'jailed_code'],
    env: {},
    copies: [],
    files: [{ name: 'jailed_code', content: code }],
    collects: false,
    collect: [],
    ...call,
  });
  return result;
}
