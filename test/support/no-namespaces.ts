// The way of confining of a stock container, which needs no namespace: root can go it on any host with Landlock.
import { coldPython, type ColdCall } from './cold-python';
import { DEFAULT_UID_POOL, planConfinement, type Confinement } from '../../lib/confinement/plan';
import { hostFacts } from '../../lib/host/host';
import type { RunResult } from '../../lib/run/conclusion';

export const facts = hostFacts();
const lacking =
  facts.kind !== 'root'
    ? 'needs CAP_SETUID and CAP_SETGID'
    : facts.landlock === 0
      ? 'needs a kernel with Landlock'
      : null;
/** A test where it can be gone here. */
export const test_ = (name: string, body: () => Promise<void>): void => {
  if (lacking === null) {
    it(name, body);
  } else {
    it.skip(`${name} (${lacking})`, body);
  }
};

/** What its command asks for. */
export const WISHES = {
  allowExec: false,
  profile: undefined,
  user: undefined,
  uidPool: DEFAULT_UID_POOL,
};

/** How a jail is confined so, by a Landlock of this version. */
export function confinement(landlock = facts.landlock): Confinement {
  const found = planConfinement(WISHES, { ...facts, kind: 'container', landlock }).at(-1);
  if (found === undefined) {
    throw new Error('no confinement for a container');
  }
  return found;
}

/** Runs Python so. */
export async function python(code: string, call: ColdCall = {}): Promise<RunResult['result']> {
  return coldPython(confinement(), code, { realtime: 20, cpu: 10, fsize: 1_000_000 }, call);
}
