// Whether a program failed for want of memory that its limit did not allow: by what the kernel refused or PID 1 has
// seen, and by what the program's own runtime said at its end.
import { constants } from 'node:os';
import { memoryWall, type Limits } from '../limits';
import type { NativeReport } from '../native/report';
import { lastLines, pythonEnd } from './last-words';
import type { Exceeded } from './result';

const { signals } = constants;
const SHELL_SIGNAL = 128;

/** What a program left. */
export interface Remains {
  stdout: Buffer;
  stderr: Buffer;
  /** Whether it ran in a process that had memory of a template's. */
  isWarm: boolean;
}

/** A memory error of Python's own, or of a module's: `numpy.core._exceptions._ArrayMemoryError`. */
const PYTHON = /(?:^|\.)_?\w*MemoryError$/;
const NO_MEMORY = /Cannot allocate memory|\bENOMEM\b|Not enough space/i;

// How a runtime ends whom the kernel has refused memory: Java, Node, Go, Rust, Perl, Ruby.
const REFUSED = [
  /insufficient memory for the Java Runtime|Could not reserve enough space for|os::commit_memory\(.*failed/,
  /Array buffer allocation failed|Failed to (?:mark|reserve|commit|map) memory/,
  /^(?:fatal error: )?runtime: (?:out of memory|cannot allocate)|^fatal error: (?:out of memory|cannot allocate memory)/,
  /memory allocation of \d+ bytes failed/,
  /^Out of memory(?:!| in perl)/,
  /failed to allocate memory \(NoMemoryError\)/,
];

// What a program, or a limit of its runtime's own, may be the cause of as well: C++, Java, Node, Lua, PHP, shells, OCaml,
// C#, Haskell, Pascal, R. It counts where there is not much room left.
const PERHAPS = [
  /std::bad_alloc/,
  /java\.lang\.OutOfMemoryError/,
  /JavaScript heap out of memory|process out of memory|invalid array length Allocation/i,
  /\bout of memory\b/i,
  /NoMemoryError/,
  /not enough memory/,
  /Allowed memory size of \d+ bytes exhausted|\(tried to allocate \d+ bytes\)/,
  /cannot allocate \d+ bytes|(?:virtual )?memory exhausted/i,
  /Out_of_memory|OutOfMemoryException|Heap exhausted|Heap overflow error|cannot allocate vector of size/i,
  NO_MEMORY,
];

// What ends a program that takes no care of an allocation that failed.
const CRASHES = [signals.SIGSEGV, signals.SIGBUS, signals.SIGABRT, signals.SIGILL, signals.SIGTRAP];

function hasCrashed(status: number): boolean {
  return CRASHES.some((signal) => status === -signal || status === SHELL_SIGNAL + signal);
}

/** What a program says of itself: that memory failed, that something else did, or nothing that is known. */
function saidOf({ stdout, stderr }: Remains): 'memory' | 'perhaps' | 'else' | undefined {
  const lines = lastLines(stderr);
  const python = pythonEnd(lines);
  if (python !== undefined) {
    const isMemory = PYTHON.test(python.type) || NO_MEMORY.test(python.message);
    return isMemory ? (python.isRaised ? 'perhaps' : 'memory') : 'else';
  }
  // Java tells it on its standard output.
  const all = [...lines, ...lastLines(stdout)];
  const isSaid = (words: RegExp): boolean => all.some((line) => words.test(line));
  return REFUSED.some(isSaid) ? 'memory' : PERHAPS.some(isSaid) ? 'perhaps' : undefined;
}

/**
 * The evidence that a program failed since it was refused memory; undefined where there is none, or where it coped: status 0.
 */
export function memoryFailure(
  report: NativeReport,
  limits: Limits,
  remains: Remains,
): Exceeded | undefined {
  const { status, overDataBytes, overAddressBytes, peakMemoryBytes, peakDataBytes } = report;
  if (status === 0 || (limits.memory === 0 && limits.vmem === 0)) {
    return undefined;
  }
  const said = saidOf(remains);
  if (said === 'else') {
    return undefined;
  }
  const wall = limits.memory === 0 ? Infinity : memoryWall(limits.memory);
  const allocation = (measured: number | null): Exceeded =>
    limits.vmem > 0 && limits.vmem < wall
      ? { limit: 'vmem', allowed: limits.vmem, measured, how: 'allocation' }
      : { limit: 'memory', allowed: limits.memory, measured, how: 'allocation' };
  if (overDataBytes > 0 && limits.memory > 0) {
    return {
      limit: 'memory',
      allowed: limits.memory,
      measured: wall + overDataBytes,
      how: 'allocation',
    };
  }
  if (overAddressBytes > 0) {
    return allocation(limits.vmem + overAddressBytes);
  }
  // What a template had is in the largest resident set too.
  const seen = Math.max(peakMemoryBytes, remains.isWarm ? 0 : report.peakRssBytes);
  const least = Math.min(wall, limits.vmem === 0 ? Infinity : limits.vmem);
  const isShort = seen >= limits.memory / 2 || (!remains.isWarm && peakDataBytes >= least / 2);
  if (said === 'memory' || (said === 'perhaps' && isShort)) {
    return allocation(null);
  }
  // Without a word: what it had when it was last seen was all that it could have.
  const isAtWall = peakDataBytes >= least - least / 32 || (limits.memory > 0 && seen >= wall);
  return hasCrashed(status) && !remains.isWarm && isAtWall ? allocation(null) : undefined;
}
