// A cell: a Python that was forked ahead of need, is confined as a cold call is, and runs one call.
import type { ColdCall, ColdResult } from '../cold';
import type { JailFile } from '../spec';

/** What a warm call is made of: what a cell can still be given once it is there. */
export interface WarmCall extends Pick<
  ColdCall,
  'limits' | 'stdin' | 'collect' | 'signals' | 'onStdout' | 'onStderr' | 'onNote'
> {
  /** `jailed_code` and the call's other files, made in the jail's directory just before the run. */
  files: readonly JailFile[];
  /** The words after the command's own: for `jailCode` the program's name first. */
  argv: readonly string[];
  /** The request of a safeExec; without it `argv[0]` is run as Python runs a script. */
  request?: Uint8Array | undefined;
}

/** One waiting cell. It serves one call and is dead afterwards. */
export interface Cell {
  /** Resolves when nothing of the cell is left, whether it served a call or not. */
  readonly dead: Promise<void>;
  /**
   * Runs one call; to be called once.
   * @param calledAt when the caller called, in milliseconds of `process.hrtime`
   * @returns and throws as `runCold`; SetupError also where the cell died before the call began
   */
  run(call: WarmCall, calledAt: number): Promise<ColdResult>;
  /** Ends a cell that serves no call, and waits until nothing of it is left. */
  discard(): Promise<void>;
}
