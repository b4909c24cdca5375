// The ES module: the very same instance that require() gives.
export * from './prometheus.js';
