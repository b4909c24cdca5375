import type { LimitName } from '../limits';
import type { Attempt } from './attempt';
import type { Hint } from './hint';

/** Why the program ended: by itself, by a signal, or because it reached a limit. */
export type Outcome =
  | 'exited'
  | 'signaled'
  | 'cpu-limit'
  | 'time-limit'
  | 'memory-limit'
  | 'disk-limit'
  | 'output-limit';

/**
 * Why a file was not brought back: the program has made it, or the directory that it may be in, `unreadable`; it is no
 * regular file; its name is not UTF-8; it is nested too deep (64 directories), or its path too long; there are too many
 * files (100,000) to look at them all; it has `vanished`, or the directory was lost because the jail had to be killed.
 */
export type WhyUncollected =
  'unreadable' | 'not-a-file' | 'not-text' | 'too-deep' | 'too-many' | 'vanished';

/** A file that `collect` named, or may have named, and that was not brought back. */
export interface Uncollected {
  /** The path below `tmp`, of the file or of the directory that it may be in; `.` for `tmp` itself. */
  path: string;
  /** Why not. */
  why: WhyUncollected;
}

/** The evidence for an outcome that names a limit, in the limit's own unit. */
export interface Exceeded {
  /** The limit that was reached. */
  limit: LimitName;
  /** What it allows. */
  allowed: number;
  /** What the program had or wanted, or null where nobody measured it. */
  measured: number | null;
  /**
   * Of memory: whether what the program had was counted, or the program failed when it was refused an allocation, which
   * then is what is measured, as far as it is known.
   */
  how?: 'counted' | 'allocation';
}

/** What one run of a program in a jail gave. */
export interface JailResult {
  /** The exit status, or minus the signal's number when a signal ended the program. */
  status: number;
  /** The signal that ended the program, or null. */
  signal: NodeJS.Signals | null;
  /** Why it ended: the verdict. */
  outcome: Outcome;
  /** The evidence for an outcome that names a limit, else null. */
  exceeded: Exceeded | null;
  /** Of a program that failed: what it was probably kept from, and the option that would allow it. */
  hints: Hint[];
  /**
   * Of a call with `explain`: what the program tried to open, make, run or connect to, and failed; each once, the first 256, of
   * files that are not there the first 192. Else empty.
   */
  attempts: Attempt[];
  /** All of its standard output, at most as many bytes as the limit `output`. */
  stdout: Buffer;
  /** All of its standard error, at most as many bytes as the limit `output`. */
  stderr: Buffer;
  /** What the run used; times in milliseconds. */
  usage: {
    /** From the program's first instruction to its end, by the clock on the wall. */
    wallMs: number;
    /** How long the call waited for its turn, before the program's time began; 0 where it had not to. */
    queuedMs: number;
    /** From the call's turn to the program's first instruction. */
    setupMs: number;
    /** CPU time in the programs' own code, without that of processes that nobody waited for. */
    userMs: number;
    /** CPU time in the kernel, without that of processes that nobody waited for. */
    systemMs: number;
    /** The CPU time that counts to the limit `cpu`, also of processes that nobody waited for. */
    cpuMs: number;
    /** The memory of the largest process, of all together where only the jail's cgroup is left to tell. */
    maxRssBytes: number;
  };
  /** The regular files that `collect` named, by their path below `tmp`. */
  collected: {
    /** Below `tmp`. */
    path: string;
    /** All of it. */
    content: Buffer;
  }[];
  /** What `collect` named, or may have named, and could not be brought back: each with why. */
  uncollected: Uncollected[];
  /** The mechanisms that were in force for this run, and `missing:` with each guarantee that was given up. */
  confinement: string[];
}
