'use strict';

const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
      sourceMaps: 'inline',
    },
  ],
};

const project = (name) => ({
  displayName: name,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform,
});

// The same tests once more, with Python in waiting cells; not those that are about something else.
const warmProject = (name) => ({
  ...project(name),
  displayName: `${name} (warm)`,
  globals: { codejailMode: 'warm' },
  testPathIgnorePatterns: [
    'warm-',
    'other-programs',
    'ordinary-user',
    'no-namespaces',
    'not-safe-exec',
    'leftovers',
    // What comes back is read alike.
    'event-loop',
  ].map((file) => `/test/${name}/${file}`),
});

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    ...['unit', 'jail', 'session', 'escape', 'apparmor', 'faults', 'cgroup', 'cli', 'docs'].map(
      project,
    ),
    ...['jail', 'session', 'escape'].map(warmProject),
  ],
  // After every test the jail suites look for what is left on the whole host, so none may run beside another.
  maxWorkers: 1,
  // Nothing here is about time where it does not say so, and machines are slow, and shared.
  testTimeout: 120_000,
};
