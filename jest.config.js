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

/** @type {import('jest').Config} */
module.exports = {
  projects: ['unit', 'jail', 'escape', 'apparmor', 'faults', 'cli'].map(project),
  // After every test the jail suites look for what is left on the whole host, so none may run beside another.
  maxWorkers: 1,
  testTimeout: 30_000,
};
