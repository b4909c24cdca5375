import type { EndSignal } from './end-signal';

/**
 * Waits for work that may be others' too: an abort ends the wait, and the work goes on.
 * @throws what the work throws; the reason of the signal that is aborted first
 */
export async function abortable<T>(work: Promise<T>, signals: readonly EndSignal[]): Promise<T> {
  if (signals.length === 0) {
    return work;
  }
  const listeners: [EndSignal, () => void][] = [];
  const aborted = new Promise<never>((_resolve, reject) => {
    for (const signal of signals) {
      const onAbort = (): void => {
        // Whatever the caller aborted it with.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal.reason);
      };
      if (signal.aborted) {
        onAbort();
      }
      signal.addEventListener('abort', onAbort, { once: true });
      listeners.push([signal, onAbort]);
    }
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    for (const [signal, onAbort] of listeners) {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
