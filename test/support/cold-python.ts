// Python in a cold jail of a confinement that the test chooses, below the front door.
import { runCold } from '../../lib/cold/cold';
import type { RunResult } from '../../lib/run/conclusion';
import type { Confinement } from '../../lib/confinement/plan';
import { LimitTable, type Limits } from '../../lib/limits';
import { PLAIN_CALL, type Call } from '../../lib/spec/call';
import type { JailPlan } from '../../lib/spec/spec';
import { find } from './runtime';

/** What of a call, and of how its jail is made, may be another than usual. */
export type ColdCall = Partial<Call & Pick<JailPlan, 'program' | 'cgroupAlone'>>;

/** Runs Python code. */
export async function coldPython(
  confinement: Confinement,
  code: string,
  limits: Partial<Limits>,
  { program, cgroupAlone, ...call }: ColdCall = {},
): Promise<RunResult['result']> {
  const runtime = await find('/usr/bin/python3');
  const { result } = await runCold(
    {
      ...PLAIN_CALL,
      limits: new LimitTable().effective(undefined, limits),
      argv: ['jailed_code'],
      files: [{ name: 'jailed_code', content: code }],
      ...call,
    },
    {
      ...{ confinement, view: runtime.view, mechanisms: [], mayExec: false },
      program: program ?? runtime.program,
      words: [runtime.program, '-E', '-B'],
      environment: (own) => own,
      cgroupAlone,
    },
  );
  return result;
}
