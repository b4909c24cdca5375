// How far something is that takes a while, on a terminal; nothing elsewhere.

const EVERY_MS = 1000;
const CLEAR_LINE = '\r\x1b[K';

/**
 * Shows that something goes on, and for how long it has, until it is done.
 * @param title what is done: `making the environment`
 */
export async function withProgress<T>(title: string, action: () => Promise<T>): Promise<T> {
  const { stderr } = process;
  if (!stderr.isTTY) {
    return action();
  }
  let seconds = 0;
  const show = (): void => {
    stderr.write(`${CLEAR_LINE}${title} … ${seconds === 0 ? '' : `${seconds} s`}`);
    seconds += 1;
  };
  show();
  const timer = setInterval(show, EVERY_MS);
  try {
    return await action();
  } finally {
    clearInterval(timer);
    stderr.write(CLEAR_LINE);
  }
}
