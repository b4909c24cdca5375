// The limit `realtime`: how long a program may go on, by the clock.
import type { Limits } from '../limits';
import { now } from '../time/clock';

/**
 * Waits until a program has gone on for as long as it may, extra time included.
 * @param startedMs when it began, in milliseconds of `process.hrtime`
 * @param onOver told how many seconds it had
 * @returns the timer; undefined where there is no limit
 */
export function boundRealtime(
  { realtime, extraTime }: Limits,
  startedMs: number,
  onOver: (seconds: number) => void,
): NodeJS.Timeout | undefined {
  if (realtime <= 0) {
    return undefined;
  }
  const seconds = realtime + extraTime;
  // A timer counts whole milliseconds, from when the event loop's turn began: never too short.
  const leftMs = Math.max(0, Math.ceil(startedMs + seconds * 1000 - now()) + 1);
  return setTimeout(() => {
    onOver(seconds);
  }, leftMs);
}
