// The queue that servers and workers share.
import { Redis } from 'ioredis';

export const QUEUE = 'submissions';

/** A connection of one's own, by REDIS_URL: BullMQ's workers block on theirs. */
export function connect() {
  const { REDIS_URL = 'redis://127.0.0.1:6379' } = process.env;
  return new Redis(REDIS_URL, { maxRetriesPerRequest: null });
}

/**
 * What a submission is queued with. Its id is the job's: queued twice it is there once. It may be tried again when a worker
 * was lost or its host could not run jails; a program that fails has been graded, and is not tried again.
 * @param {string} id
 */
export function jobOptions(id) {
  return {
    jobId: id,
    attempts: 5,
    backoff: { type: 'exponential', delay: 500 },
    removeOnComplete: { age: 24 * 3600 },
  };
}
