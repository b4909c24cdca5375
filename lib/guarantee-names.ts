/** The guarantees, in the order in which they are reported: what a jailed program cannot do. */
export const GUARANTEE_NAMES = [
  'files',
  'metadata',
  'network',
  'processes',
  'identity',
  'kernel',
  'memory',
  'cpu',
  'time',
  'tasks',
  'disk',
  'output',
] as const;

/**
 * The name of one guarantee, as `allowMissing` takes it and reports give it: `files`, `metadata`, `network`, `processes`,
 * `identity`, `kernel`, `memory`, `cpu`, `time`, `tasks`, `disk` or `output`.
 */
export type GuaranteeName = (typeof GUARANTEE_NAMES)[number];
