/** @type {import('jest').Config} */
export default { testMatch: ['**/*.jest.mjs'], testEnvironment: 'node', testTimeout: 120_000 };
