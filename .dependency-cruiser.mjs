// The floors of lib/, from the top: each uses only what stands below it. docs/architecture.md says what belongs where.
const floors = [
  'cli',
  'observability',
  'mcp',
  'index',
  'jail',
  'session',
  'statistics',
  'gate',
  'warm',
  'command',
  'proof',
  'options',
  'cold',
  'functions',
  'exec',
  'python',
  'spec',
  'confinement',
  'apparmor',
  'run',
  'host',
  'build',
  'native',
  'json',
  'limits',
  'passing',
  'errors',
  'guarantee-names',
  'time',
  'text',
];

/** A room is a directory, or a file of its own. */
const within = (rooms) => `^lib/(?:${rooms.join('|')})(?:/|\\.m?ts$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files that use one another are one file, or want a third that both use.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-file-without-a-floor',
      comment: 'Put it into a room, or add the room to the list of floors.',
      severity: 'error',
      from: { path: '^lib/', pathNot: within(floors) },
      to: {},
    },
    {
      name: 'observability-is-a-front-door',
      comment: 'What it needs is public: callers of the library could write it themselves.',
      severity: 'error',
      from: { path: within(['observability']) },
      to: { path: '^lib/', pathNot: within(['observability', 'index']) },
    },
    {
      name: 'mcp-is-a-front-door',
      comment: 'What it needs of the library is what the library gives to everybody.',
      severity: 'error',
      from: { path: within(['mcp']) },
      to: { path: '^lib/', pathNot: within(['mcp', 'index']) },
    },
    ...floors.map((room, index) => ({
      name: `${room}-uses-only-what-is-below`,
      comment: 'Move what both need to a floor below.',
      severity: 'error',
      from: { path: within([room]) },
      to: { path: '^lib/', pathNot: within(floors.slice(index)) },
    })),
  ],
  options: {
    // Types are arrows too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^lib/',
  },
};
