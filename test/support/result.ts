import type { JailResult } from '../../lib/run/result';

/** What a program gives that has ended well and printed nothing. */
export const RESULT = {
  status: 0,
  signal: null,
  outcome: 'exited',
  exceeded: null,
  hints: [],
  attempts: [],
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  usage: { wallMs: 1, queuedMs: 0, setupMs: 1, userMs: 1, systemMs: 1, cpuMs: 2, maxRssBytes: 1 },
  collected: [],
  uncollected: [],
  confinement: [],
} satisfies JailResult;
