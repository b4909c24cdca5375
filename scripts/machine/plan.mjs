// Which suites run where AppArmor is. Two lanes, one for each processor, each with processes, /tmp and /run of
// its own, since the suites look for what jails leave on the whole host.

const ESCAPES = ['attacks', 'files', 'identity', 'kernel', 'network', 'processes'].map(
  (name) => `test/escape/${name}.test.ts`,
);

/**
 * Each run is one process of Jest; each of its projects, the suites with some layers of the confinement
 * (test/support/layers.ts).
 */
const runs = [
  {
    name: 'profiles',
    projects: [{ suites: ['test/apparmor/**/*.test.ts'] }],
  },
  {
    name: 'all layers',
    projects: [
      {
        layers: 'own-root landlock seccomp apparmor',
        suites: [...ESCAPES, 'test/escape/guarantees.test.ts', 'test/jail/codejail-suite.test.ts'],
      },
    ],
  },
];

export const lanes = [
  { name: 'root', uid: 0, runs },
  // Belongs to nobody: no passwd entry is needed.
  { name: 'ordinary user', uid: 61_234, runs },
];
