// The only door to the addon: its functions, typed, and the plain data that goes through.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../errors';
import { binaryDirectory, LOAD_STEP, unloadableAdvice } from './binaries';
import { loadAdvice } from './load-advice';
import { noExecAdvice } from './no-exec';
import { BINARIES } from './platforms';
import type { FileRecord, NativeSpec } from './spec';

/** What the kernel says of a jail that had a cgroup. */
export interface NativeCgroupEnd {
  /** Whether its own limit of memory was reached. */
  overLimit: boolean;
  /** How many of its processes the kernel killed for want of memory, the jail's or the host's. */
  oomKills: number;
  /** 0 where the kernel keeps none. */
  peakBytes: number;
  userMs: number;
  systemMs: number;
}

export interface NativeFailure {
  /** The step's name, for people. */
  step: string;
  /** For `stepOf`. */
  stepNumber: number;
  syscall: string;
  errno: number;
  detail: string;
}

/** What came on a cell's outputs. */
export interface NativeOutputs {
  type: 'outputs';
  stdout?: Buffer;
  stderr?: Buffer;
  result?: Buffer;
  /** Which have ended, and are closed: 1 for `stdout`, 2 for `stderr`, 4 for `result`, added up. */
  ended: number;
}

export type NativeEvent =
  | { type: 'started'; startedMs: number }
  /** Of an explained call: `kind` is an `AttemptKind`, `what` a path, or the family and type of a socket. */
  | { type: 'attempt'; kind: number; errno: number; what: string }
  /** A cell waits for its call, on which processor; -1 where that is not known. */
  | { type: 'ready'; processor: number }
  | NativeOutputs
  /** What came on the outputs of a session's step. */
  | (Omit<NativeOutputs, 'type' | 'ended'> & { type: 'stepOutputs'; step: number })
  /** Of a session: the descriptor of its writable directory, to be closed. */
  | { type: 'session'; tmpDirectory: number }
  /** Nothing of a cell is left. Comes after `ended`, unless `isGone` has said so. */
  | { type: 'gone' }
  /** A template makes no more cells; those that are there go on. */
  | { type: 'templateEnded' }
  | NativeStepEvent
  | {
      type: 'ended';
      /** A descriptor to close, or -1. */
      tmpDirectory: number;
      failure?: NativeFailure;
      launcherStatus?: number;
      /** For `readReport`. Missing when the launcher was killed before it could report. */
      report?: Float64Array;
      /** Kept when the jail's cgroup is gone. Missing where it had none. */
      cgroup?: Promise<NativeCgroupEnd>;
    };

/**
 * The parent's ends of the pipes, to be closed by the caller, save those that `NativeOutputs` says are closed; -1 where
 * there is none.
 */
export interface NativeJail {
  id: number;
  stdin: number;
  stdout: number;
  stderr: number;
  result: number;
}

/** What is ordered of a session; native/core/report.h has the same. */
export const OrderKind = {
  stop: 0,
  arm: 1,
  prepare: 2,
  step: 3,
  keep: 4,
  drop: 5,
  fork: 6,
  closeHead: 7,
} as const;

/** What a session's PID 1 tells of a step, or of a head. */
export interface NativeStepEvent {
  type: 'step';
  /**
   * `ready`: a fork waits for what to run; `done`: the code has ended, and waits to be kept or dropped; `ended`: its processes
   * are dead, or it never had one; `begun`: a head has a state, the session's first one (`step` 0), or what was to be a step;
   * `lost`: of a head that has no state any more.
   */
  what: 'ready' | 'done' | 'ended' | 'begun' | 'lost';
  head: number;
  step: number;
  /** Why a step that never had a process could have none; 0 where nothing failed. */
  errno: number;
  /** Of a step that is done: whether later ones may run in forks of it. Of one that has ended: whether its head lives on. */
  isBranchable: boolean;
  report: Float64Array;
}

export interface Addon {
  spawn(spec: NativeSpec, onEvent: (event: NativeEvent) => void): NativeJail;
  /** A spec as the launcher and cells read it, in a file in memory that nobody can change: its descriptor. */
  sealSpec(spec: NativeSpec): number;
  /**
   * Writes a long request into a file in memory that nobody can change.
   * @returns its descriptor, for a spec, or to be closed
   */
  writeRequest(pieces: readonly Uint8Array[]): Promise<number>;
  /** A spec's file in memory, for records that are written ahead: its descriptor, for a spec, or to be closed. */
  openFiles(): number;
  /** Writes records after those that are there. To be waited for before the next, and before the spawn. */
  appendFiles(descriptor: number, records: readonly FileRecord[]): Promise<void>;
  /**
   * Makes the request pipe of a program that asks while it runs.
   * @returns descriptors: `program` for a spec, or to be closed; `server`, to be written to, which does not block
   */
  makeRequestPipe(): { program: number; server: number };
  /**
   * Asks a template for a cell.
   * @param spec as `sealSpec` gives it
   */
  makeCell(
    template: number,
    spec: number,
    onEvent: (event: NativeEvent) => void,
  ): NativeJail & { request: number };
  /**
   * Tells a waiting cell that its call is about to come.
   * @param request the descriptor that the cell reads from
   */
  announceCall(request: number): void;
  /**
   * Begins a cell's call; limits: undefined where there is none.
   * @param descriptor the one that the cell reads from
   * @param frame what it reads
   * @param request what it reads after that, where it is not in the frame already; in UTF-8 both have at
   *   most 65535 bytes
   * @returns how many of all these bytes are left, to be written when the pipe takes them; -1 where the cell is dead:
   *   then no call has begun
   */
  beginCall(
    cell: number,
    cpuMicroseconds: number | undefined,
    memoryBytes: number | undefined,
    mostFiles: number,
    wantsTmpDirectory: boolean,
    descriptor: number,
    frame: Uint8Array,
    request?: string,
    isSession?: boolean,
  ): number;
  /**
   * Of a session: makes a step's pipes, and sends them where a fork waits for them.
   * @returns the descriptor that the step's request is written to
   */
  prepareStep(cell: number, step: number, head: number): number;
  /**
   * Of a session: begins a step that is ready.
   * @param cpuMicroseconds undefined: no limit
   * @param descriptor as `prepareStep` gave it
   * @param request in UTF-8 it has at most 65535 bytes
   * @returns how many of its bytes are left, to be written when the pipe takes them; -1 where the session is gone
   */
  beginStep(
    cell: number,
    step: number,
    head: number,
    cpuMicroseconds: number | undefined,
    descriptor: number,
    request: string,
  ): number;
  /** Of a session: an order, one of `OrderKind`; false where the session is gone. */
  tellStep(cell: number, order: number, step: number, head: number, otherHead: number): boolean;
  /** Of a cell that has ended: whether its last process, PID 1, is dead too. */
  isGone(cell: number): boolean;
  /** Gives back what the addon holds of a cell that is gone, and ends its keeper: its memory is freed then. */
  letGo(cell: number): void;
  /** Whether a jail keeps this process alive; one that only waits does not. At first it does. */
  holdLoop(id: number, held: boolean): void;
  /** The number of a jail's PID 1, as this process sees it; -1 where it is not known. */
  processOf(id: number): number;
  stop(id: number): void;
  kill(id: number): void;
  /**
   * What is below a directory, in the order of the paths: each entry a letter for its kind (native/addon/list_files.cc), its
   * path and a NUL. Rejects with
   * `errno`, `syscall` and `detail`, the path, where the host fails.
   */
  listFiles(directory: number): Promise<Buffer>;
  /**
   * Reads files below a directory.
   * @param limit bytes that all may have together
   * @returns undefined where they have more; in the place of one that can't be read an errno of its maker's doing, or 0 where
   *   it is no regular file. Rejects as `listFiles`.
   */
  readFiles(
    directory: number,
    paths: readonly string[],
    limit: number,
  ): Promise<(Buffer | number)[] | undefined>;
  /**
   * Removes a directory of which nothing changes any more, with all that is in it, however deep. One that is gone already
   * is fine. Rejects with `errno` and `syscall` where something of it stays.
   */
  removeTree(directory: string): Promise<void>;
  /** The same, of a jail's directory on the host; it stays where a server or a launcher holds its lock. */
  removeUnlockedTree(directory: string): Promise<void>;
  closeDescriptor(descriptor: number): void;
  /**
   * Reads from a pipe's end, which does not block.
   * @returns null at the end of what comes, where it is closed too; undefined where somebody may still write
   */
  readRest(descriptor: number): Buffer | null | undefined;
  /** Leaves a descriptor to JavaScript; the addon closes all others that it gave when its environment ends. */
  disown(descriptor: number): void;
  /** Throws with `errno` and `syscall` where the host could not be asked. */
  lookUpUser(name: string): { uid: number; gid: number } | undefined;
  /** The number of the processor that runs this thread; -1 where it is not known. */
  processor(): number;
  /** Throws with `errno` and `syscall` where the kernel does not say. */
  landlockAbi(): number;
  /** Whether systemd has marked a cgroup as its unit's own to divide. */
  cgroupIsDelegated(path: string): boolean;
  /**
   * Takes the lock that tells a live server's cgroup from a dead one's.
   * @returns 0, or the error's number: EAGAIN where another has it, ENOENT where it is gone
   */
  lockCgroup(path: string): number;
  unlockCgroup(path: string): void;
  /** Whether no jail of this host holds the uid, by the locks in `directory`. */
  uidIsFree(directory: string, uid: number): boolean;
}

/** `BINARIES`, as they were found. */
interface NativeUnit {
  addon: Addon;
  launcher: string;
  probe: string;
  cell: string;
  output: string;
  /** The directory that has them. */
  directory: string;
}

const ELSEWHERE = 'install codejail elsewhere';
const packageDirectory = join(__dirname, '..', '..');
let unit: NativeUnit | undefined;

function loadAddon(path: string): Addon {
  try {
    // Not this file's own: a bundler would look for what it names.
    return createRequire(join(packageDirectory, 'package.json'))(path) as Addon;
  } catch (cause) {
    const { errno = 0, syscall, message } = cause as Error & Partial<NativeFailure>;
    throw new SetupError(LOAD_STEP, errno, {
      syscall,
      detail:
        loadAdvice(packageDirectory, cause) ??
        // The loader says no more than "failed to map segment" (mmap(2), EPERM).
        noExecAdvice(path, ELSEWHERE) ??
        // The addon's own word has a number; else it is the loader's.
        (errno === 0 ? unloadableAdvice(packageDirectory, path, message) : message),
      cause,
    });
  }
}

function load(): NativeUnit {
  const directory = binaryDirectory(packageDirectory);
  const addon = loadAddon(join(directory, BINARIES.addon));
  const launcher = join(directory, BINARIES.launcher);
  const probe = join(directory, BINARIES.probe);
  const cell = join(directory, BINARIES.cell);
  const output = join(directory, BINARIES.output);
  for (const program of [launcher, probe, cell, output]) {
    if (!existsSync(program)) {
      throw new SetupError(LOAD_STEP, constants.errno.ENOENT, {
        detail: `${program} is missing: install or build the package again`,
      });
    }
  }
  const onNoExec = noExecAdvice(launcher, ELSEWHERE);
  if (onNoExec !== undefined) {
    throw new SetupError(LOAD_STEP, constants.errno.EACCES, { detail: onNoExec });
  }
  return { addon, launcher, probe, cell, output, directory };
}

/**
 * The native half of the package, loaded at first use.
 * @throws SetupError where there is no binary for this machine, with the command that builds one.
 */
export function native(): NativeUnit {
  unit ??= load();
  return unit;
}
