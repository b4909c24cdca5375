// The suites of cgroups need a server that has been given a part of a cgroup v2 tree.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverCgroup } from '../../lib/host/cgroup';
import type { RunResult } from '../../lib/run/conclusion';
import { DEFAULT_UID_POOL, planConfinement, type Confinement } from '../../lib/confinement/plan';
import { findDelegation } from '../../lib/host/delegation';
import { hostFacts, type HostKind } from '../../lib/host/host';
import type { Limits } from '../../lib/limits';
import { coldPython, type ColdCall } from './cold-python';

const { base } = findDelegation('auto');

/** Whether this process may have cgroups. */
export const hasCgroups = base !== undefined;

/** Whether they can share the processor. */
export const hasProcessorController =
  base !== undefined && control(base, 'cgroup.controllers').split(' ').includes('cpu');

const lacking = hasCgroups
  ? ''
  : ' (needs a delegated cgroup v2 tree with memory and pids: npm run test:apparmor)';

/** `describe` where jails have cgroups; elsewhere a skipped one that says so. */
export function describeWithCgroups(name: string, body: () => void): void {
  if (lacking === '') {
    describe(name, body);
  } else {
    describe.skip(name + lacking, body);
  }
}

/** The directory below which this server's jails have theirs. */
export async function ownCgroup(): Promise<string> {
  const state = await serverCgroup('auto');
  if (state.directory === null) {
    throw new Error(state.why);
  }
  return state.directory;
}

/** The cgroups of jails that are there now. */
export async function jailCgroups(): Promise<string[]> {
  const directory = await ownCgroup();
  return readdirSync(directory)
    .filter((name) => name.startsWith('jail-'))
    .map((name) => join(directory, name));
}

/** A file of a cgroup. */
export function control(cgroup: string, file: string): string {
  return readFileSync(join(cgroup, file), 'utf8').trim();
}

/** This server's weight for the scheduler, empty where it is in the root of the machine's tree. */
export function serverWeight(): string {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  const file = join('/sys/fs/cgroup', own, 'cpu.weight');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}

async function confinement(kind: HostKind): Promise<Confinement> {
  const plans = planConfinement(
    {
      allowExec: false,
      profile: undefined,
      user: undefined,
      uidPool: DEFAULT_UID_POOL,
      cgroup: { directory: await ownCgroup(), required: true },
    },
    { ...hostFacts(), kind },
  );
  const found = plans.at(-1);
  if (found === undefined) {
    throw new Error('no confinement with a cgroup');
  }
  return found;
}

/** Runs Python with its cgroup alone to bound memory and tasks: without rlimits and sampled sums. */
export async function heldByCgroup(
  code: string,
  limits: Partial<Limits>,
  more: ColdCall & { kind?: HostKind } = {},
): Promise<RunResult['result']> {
  const { kind = hostFacts().kind, ...call } = more;
  return coldPython(
    await confinement(kind),
    code,
    { realtime: 60, cpu: 40, ...limits },
    { cgroupAlone: true, ...call },
  );
}
