// Runs the suite that follows with some layers of the confinement only, and under AppArmor: Jest loads this file
// before the suite (setupFiles) where scripts/machine/plan.mjs says so. Nothing of it can be reached from the
// package's own interface: it replaces what `planConfinement` gives.
import { execFileSync } from 'node:child_process';
import type * as confinementModule from '../../lib/confinement/plan';
import type { Confinement } from '../../lib/confinement/plan';
import type { HostFacts } from '../../lib/host/host';
import type * as hostDirectoryModule from '../../lib/cold/host-directory';
import type * as nativeModule from '../../lib/native/spec';
import type * as probeModule from '../../lib/proof/probe';
import type { Proof } from '../../lib/proof/probe';
import { isTestMachine } from './machine';

/** What can be switched on and off; rlimits, uids and the launcher as reaper always stay. */
const LAYERS = ['own-root', 'landlock', 'seccomp', 'apparmor'] as const;
export type Layer = (typeof LAYERS)[number];

/** The profile that scripts/machine/profiles.mjs loads. */
const TEST_PROFILE = 'codejail-test-python';

declare const CODEJAIL_TEST_LAYERS: string;
const words = CODEJAIL_TEST_LAYERS.split(' ').filter(Boolean);
const unknown = words.filter((word) => !LAYERS.includes(word as Layer));
if (unknown.length > 0) {
  throw new Error(`no layer: ${unknown.join(', ')}`);
}
const has = (layer: Layer): boolean => words.includes(layer);
const isComplete = has('own-root') && has('seccomp') && has('landlock');

// An attack that gets through is really done, as root: to /etc, to /proc/sys, to whoever listens.
if (!isComplete && !isTestMachine) {
  throw new Error(
    'a layer of the confinement is switched off only in the test machine: npm run test:apparmor',
  );
}

function withLayers(
  plan: Confinement,
  { IdMap, Namespace, SpecFlag }: typeof nativeModule,
): Confinement {
  let { flags, namespaces } = plan;
  if (!has('own-root') && plan.idMap === IdMap.caller) {
    // An ordinary user can't be without: the launcher is PID 1, which ends all, and has ids to change.
    flags &= ~(SpecFlag.ownRoot | SpecFlag.readOnlyRoot | SpecFlag.isolateHostname);
    namespaces = Namespace.user | Namespace.pid;
  }
  if (!has('landlock')) flags &= ~SpecFlag.landlock;
  if (!has('seccomp')) flags &= ~SpecFlag.seccomp;
  return {
    ...plan,
    flags,
    namespaces,
    appArmorProfile: has('apparmor') ? TEST_PROFILE : plan.appArmorProfile,
    mechanisms: [...plan.mechanisms, ...(has('apparmor') ? [`apparmor:${TEST_PROFILE}`] : [])],
  };
}

jest.mock('../../lib/confinement/plan', () => {
  const actual = jest.requireActual<typeof confinementModule>('../../lib/confinement/plan');
  const { hostFacts } = jest.requireActual<{ hostFacts: () => HostFacts }>('../../lib/host/host');
  const native = jest.requireActual<typeof nativeModule>('../../lib/native/spec');
  return {
    ...actual,
    planConfinement: (
      wishes: confinementModule.ConfinementWishes,
      facts: HostFacts = hostFacts(),
    ): Confinement[] => {
      const plans =
        has('own-root') || facts.kind === 'user'
          ? actual.planConfinement(wishes, facts)
          : actual.planConfinement(wishes, { ...facts, kind: 'container' }).slice(-1);
      return plans.map((plan) => withLayers(plan, native));
    },
  };
});

if (!isComplete) {
  // The probe would refuse such a jail, as it must.
  jest.mock('../../lib/proof/probe', () => ({
    ...jest.requireActual<typeof probeModule>('../../lib/proof/probe'),
    prove: (): Proof => ({
      checks: [{ guarantee: 'files', check: 'nothing', held: true, seen: '' }],
      missing: [],
    }),
  }));
}

if (!has('own-root') && process.getuid?.() !== 0) {
  // In no such jail can a Python be asked for its modules: under Landlock it has no /proc to take sums from.
  jest.mock('../../lib/command/python-question', () => ({
    askPython: async () => Promise.resolve(undefined),
  }));
  // Its directory lies on the host then, read-only for its owner, who here is the server.
  jest.mock('../../lib/cold/host-directory', () => {
    const actual = jest.requireActual<typeof hostDirectoryModule>('../../lib/cold/host-directory');
    return {
      ...actual,
      removeHostDirectory: async (directory: string): Promise<void> => {
        execFileSync('chmod', ['-R', 'u+rwX', directory]);
        await actual.removeHostDirectory(directory);
      },
    };
  });
}
