/**
 * The statuses that this command itself ends with. A program that runs in a jail can end with any of
 * them too: `--json` tells them apart.
 */
export const ExitStatus = {
  ok: 0,
  /** A guarantee, a profile or a file is missing; another program's work failed. */
  failed: 1,
  /** EX_USAGE of sysexits.h. */
  usage: 64,
  cpuLimit: 120,
  memoryLimit: 121,
  diskLimit: 122,
  outputLimit: 123,
  /** As timeout(1) says it. */
  timeLimit: 124,
  /** The host does not guarantee what is required: nothing ran. */
  refused: 125,
  /** The jail could not be made: nothing ran. */
  setup: 126,
  /** Plus the signal's number, as shells say it. */
  signal: 128,
} as const;
