/** Waits until all of it has settled, at most so long; without a bound as long as it takes. */
export async function settledWithin(
  work: Iterable<Promise<unknown>>,
  timeoutMs?: number,
): Promise<void> {
  const settled = Promise.allSettled(work);
  if (timeoutMs === undefined) {
    await settled;
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([settled, timedOut]);
  clearTimeout(timer);
}
