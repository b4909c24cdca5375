// Which suites run where AppArmor is. Two lanes, one for each processor, each with processes, /tmp and /run of
// its own, since the suites look for what jails leave on the whole host.

const ESCAPES = ['attacks', 'files', 'identity', 'kernel', 'network', 'processes'].map(
  (name) => `test/escape/${name}.test.ts`,
);

const DENIALS = ['test/apparmor/denials.test.ts'];
const denialsWith = (...layers) => ({ layers: layers.join(' '), suites: DENIALS });

/**
 * Each run is one process of Jest; each of its projects, suites with some layers of the confinement
 * (test/support/layers.ts).
 */
const runs = [
  {
    name: 'layers',
    projects: [
      { suites: ['test/apparmor/change.test.ts', 'test/apparmor/profile-command.test.ts'] },
      denialsWith('own-root', 'landlock', 'seccomp', 'apparmor'),
    ],
  },
  {
    name: 'all layers',
    projects: [
      {
        layers: 'own-root landlock seccomp apparmor',
        suites: [...ESCAPES, 'test/jail/codejail-suite.test.ts'],
      },
    ],
    // What is to be denied, and CodeJail's exploit tests, which are named so too.
    names: 'denies ',
  },
];

export const lanes = [
  { name: 'root', uid: 0, runs },
  // Belongs to nobody: no passwd entry is needed.
  { name: 'ordinary user', uid: 61_234, runs },
];
