// The steps from the clone to the program by what tells them apart; their names in errors are for people.

/** In the order of `Step` in native/core/step.h. */
export const STEPS = [
  'lease',
  'makeCgroup',
  'pipes',
  'spawnThread',
  'spec',
  'clone',
  'execLauncher',
  'enterCgroup',
  'readSpec',
  'closeDescriptors',
  'priority',
  'session',
  'namespaces',
  'idMap',
  'hostname',
  'openAppArmor',
  'mounts',
  'copyFiles',
  'pivotRoot',
  'openProgram',
  'resourceLimits',
  'capabilities',
  'groups',
  'userId',
  'appArmor',
  'appArmorLabel',
  'noNewPrivileges',
  'landlock',
  'seccomp',
  'supervise',
  'fork',
  'standardStreams',
  'workingDirectory',
  'execProgram',
  'nursery',
  'forkCell',
  'joinNamespaces',
  'readCall',
  'cellFiles',
] as const;

/** What tells one step of the native half from another, whatever it is called in errors. */
export type StepId = (typeof STEPS)[number];

/** The step of this number; undefined where there is none. */
export function stepOf(number: number | undefined): StepId | undefined {
  return number === undefined ? undefined : STEPS[number];
}

/** Whether an error's `stepId` is one of these. */
export function isStep(id: string | undefined): id is StepId {
  return (STEPS as readonly (string | undefined)[]).includes(id);
}
