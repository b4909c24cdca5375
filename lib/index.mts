// The ES module: the very same instance that require() gives, so there is one default jail a process.
export * from './index.js';
export { default } from './index.js';
