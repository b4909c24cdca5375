// Which suites run where AppArmor is. Lanes, as many as keep two processors busy, each with processes, /tmp and /run of
// its own, since the suites look for what jails leave on the whole host.

const DENIALS = ['test/apparmor/denials.test.ts'];
const denialsWith = (...layers) => ({ layers: layers.join(' '), suites: DENIALS });
const ALL_BUT_APPARMOR = 'own-root landlock seccomp';
const warm = (project) => ({ ...project, mode: 'warm' });

const ATTACKS = {
  layers: 'own-root landlock seccomp apparmor',
  suites: [
    'test/jail/codejail-suite.test.ts',
    'test/escape/{files,identity,kernel,network,processes}.test.ts',
  ],
};

// What a kernel without AppArmor does not show of cells.
const WARM_ATTACKS = {
  ...ATTACKS,
  suites: ['test/jail/codejail-suite.test.ts', 'test/escape/{files,processes}.test.ts'],
};

// Each run is one process of Jest; each of its projects, suites with some layers of the confinement
// (test/support/layers.ts). `delegated`: in a cgroup that is the lane's own, as root is in any.
const allLayers = { name: 'all layers', projects: [ATTACKS, warm(WARM_ATTACKS)], names: 'denies ' };
/** Root's has more projects: layers are the kernel's, whoever the server is. */
const layers = (...projects) => ({
  name: 'layers',
  projects: [
    {
      suites: [
        'test/apparmor/change.test.ts',
        'test/apparmor/profile-command.test.ts',
        'test/jail/stock-container.test.ts',
      ],
    },
    denialsWith('own-root', 'landlock', 'seccomp', 'apparmor'),
    warm(denialsWith('own-root', 'landlock', 'seccomp', 'apparmor')),
    denialsWith('own-root', 'apparmor'),
    // Sabotage: none at all.
    denialsWith(),
    ...projects,
  ],
});

const SESSIONS = {
  name: 'sessions',
  projects: [
    warm({
      layers: 'own-root landlock seccomp apparmor',
      suites: ['test/session/branches.test.ts'],
    }),
  ],
};

const CGROUPS = 'test/cgroup/*.test.ts';

// Belongs to nobody: no passwd entry is needed.
const ORDINARY = 61_234;
const MEASURES = [
  { name: 'measures', projects: [{ suites: ['test/apparmor/kernel-memory.test.ts'] }] },
];

/** `alone`: before the others, one after another, since what it measures is the whole machine's. */
const all = [
  { name: 'root, alone', uid: 0, alone: true, runs: MEASURES },
  { name: 'ordinary user, alone', uid: ORDINARY, alone: true, runs: MEASURES },
  {
    name: 'root',
    uid: 0,
    runs: [
      layers(
        // Each alone.
        denialsWith('apparmor'),
        denialsWith('own-root'),
        denialsWith('landlock'),
        denialsWith('seccomp'),
        // As a stock container has it.
        denialsWith('landlock', 'seccomp', 'apparmor'),
        // Sabotage: one layer off.
        denialsWith('own-root', 'landlock', 'seccomp'),
        denialsWith('own-root', 'landlock', 'apparmor'),
      ),
      allLayers,
      { name: 'cgroup', projects: [{ suites: [CGROUPS, 'test/jail/no-namespaces*.test.ts'] }] },
      SESSIONS,
      // This kernel has the system calls of another architecture.
      { name: 'keeper', projects: [{ suites: ['test/escape/warm-keeper.test.ts'] }] },
    ],
  },
  // It takes as long as the half of another.
  {
    name: 'guides',
    uid: 0,
    runs: [
      { name: 'as root', projects: [{ suites: ['test/apparmor/guides.test.ts'] }] },
      { name: 'systemd', projects: [{ suites: ['test/apparmor/service.test.ts'] }] },
    ],
  },
  {
    name: 'ordinary user',
    uid: ORDINARY,
    runs: [
      layers(),
      allLayers,
      { name: 'cgroup', projects: [{ suites: [CGROUPS] }], delegated: true },
      SESSIONS,
    ],
  },
];

// One suite of each kind, and each way in which AppArmor takes part. What other kernels lack is in test:hosts too.
const DENIED = {
  name: 'denials',
  projects: [
    denialsWith('own-root', 'landlock', 'seccomp', 'apparmor'),
    warm(denialsWith('own-root', 'landlock', 'seccomp', 'apparmor')),
    denialsWith('apparmor'),
    // As a stock container has it.
    denialsWith('landlock', 'seccomp', 'apparmor'),
    // Sabotage: none at all.
    denialsWith(),
  ],
};
const PROFILES = {
  name: 'profiles',
  projects: [
    {
      suites: ['test/apparmor/change.test.ts', 'test/apparmor/profile-command.test.ts'],
    },
  ],
};
const PARITY = {
  name: 'parity',
  projects: [
    warm({
      ...ATTACKS,
      suites: ['test/jail/codejail-suite.test.ts', 'test/escape/files.test.ts'],
    }),
  ],
  names: 'denies ',
};
const quick = [
  {
    name: 'root',
    uid: 0,
    runs: [
      PROFILES,
      DENIED,
      { name: 'keeper', projects: [{ suites: ['test/escape/warm-keeper.test.ts'] }] },
      SESSIONS,
    ],
  },
  {
    name: 'ordinary user',
    uid: ORDINARY,
    runs: [DENIED, PARITY, { name: 'cgroup', projects: [{ suites: [CGROUPS] }], delegated: true }],
  },
];

// The other processor has numbers of system calls, registers and instructions of its own, all else is the same.
const OF_ARM64 = (more) => [
  { name: 'probe', projects: [{ suites: ['test/escape/guarantees.test.ts'] }] },
  {
    name: 'jail',
    projects: [
      { suites: ['test/jail/{codejail-suite,files,outcome,program,safe-exec}.test.ts'] },
      warm({ layers: ALL_BUT_APPARMOR, suites: ['test/jail/{program,safe-exec}.test.ts'] }),
    ],
  },
  {
    name: 'escape',
    projects: [
      { suites: ['test/escape/{arguments,files,identity,kernel,network,processes}.test.ts'] },
      warm({
        layers: ALL_BUT_APPARMOR,
        suites: ['test/escape/{arguments,files,processes}.test.ts'],
      }),
    ],
  },
  {
    name: 'sessions',
    projects: [warm({ layers: ALL_BUT_APPARMOR, suites: ['test/session/branches.test.ts'] })],
  },
  ...more,
];
const arm64 = [
  {
    name: 'root',
    uid: 0,
    runs: [
      { name: 'filter', projects: [{ suites: ['test/unit/filter*.test.ts'] }] },
      ...OF_ARM64([
        { name: 'keeper', projects: [{ suites: ['test/escape/warm-{cells,keeper}.test.ts'] }] },
        { name: 'cgroup', projects: [{ suites: ['test/cgroup/limits.test.ts'] }] },
      ]),
    ],
  },
  { name: 'ordinary user', uid: ORDINARY, runs: OF_ARM64([]) },
];

/**
 * The plans by their names: `all` takes more than an hour, `quick`, of CI, some twenty minutes. `arm64` is for a machine
 * that has no parser of AppArmor's.
 */
export const PLANS = {
  all: { lanes: all, profiles: true },
  quick: { lanes: quick, profiles: true },
  arm64: { lanes: arm64, profiles: false },
};
