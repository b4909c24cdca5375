import type { CheckedFunction } from '../functions/host-calls';
import type { HostFunctions } from '../functions/host-function';
import type { GuaranteeName } from '../guarantee-names';
import type { LimitDefaults, Limits } from '../limits';
import type { Input } from '../run/input';
import type { OutputCallbacks } from '../run/output-text';
import type { StartDirectory } from '../spec/files';
import type { Given } from './content';
import type { ExtraFile, FileArgument } from './files';
import type { WarmArguments, WarmOptions } from './warm';

/** Options of `configure`: a program that can be run in a jail. */
export interface CommandOptions {
  /** The program: an absolute path, or a name that is looked up in PATH. */
  bin: string;
  /** Arguments before the call's own. Default: `['-E', '-B']` for the command `python`, else none. */
  args?: string[] | undefined;
  /**
   * Whether the program is a Python: then it is asked, once and in a jail of its own, where its modules are, and its
   * jails show them. `'owned'`: it is, and is refused where somebody but root and this process's user may write it or
   * a directory on the way. `'found'`: it is where its name says so and nobody else may write it; of what it tells,
   * only directories of a Python are believed. Default: by its name (`python3`, `pypy3.10`); one that nobody has
   * configured is `'owned'`.
   */
  python?: boolean | 'owned' | 'found' | undefined;
  /** The name of a user of the host to run as, where the server has the capabilities for it; else ignored. Default: none. */
  user?: string | undefined;
  /** The name of an AppArmor profile to change to; a call is refused where it is not loaded and enforced. Default: none. */
  profile?: string | undefined;
  /** More of the host to show in the jail, read-only: absolute paths of files and directories. Default: none. */
  readPaths?: string[] | undefined;
  /** The program's environment, by name. Nothing of the server's own is passed on. Default: what every jail has. */
  env?: Record<string, string> | undefined;
  /** Keep Python processes ready; `true`: with the defaults of `WarmOptions`. For commands that are a Python. Default false. */
  warm?: boolean | WarmOptions | undefined;
  /** Whether the program may run other programs that `readPaths` shows. Default false. */
  allowExec?: boolean | undefined;
}

/** How much what is told matters. */
export type LogLevel = 'info' | 'warn';

/**
 * Told what a jail does: `info`, what each run did that has a slug; `warn`, what is dangerous or in vain. Each message is
 * one line; what is about a call that has a slug begins with it.
 */
export type Logger = (level: LogLevel, message: string) => void;

/** About which call a logger is told; neither where it is about no call. */
export interface LogFields {
  /** The call's `slug`, as it was given. */
  slug?: string;
  /** The command's name. */
  command?: string;
}

/** A logger with a method for each level, which takes fields before the message: pino's, a Fastify server's `log`. */
export interface StructuredLogger {
  /** What a run did. */
  info(fields: LogFields, message: string): void;
  /** What is dangerous, configured in vain, or was ended for its limit. */
  warn(fields: LogFields, message: string): void;
}

/**
 * How many calls a jail runs at a time, and how many wait. What is over it rejects with `BusyError`. Calls begin in order,
 * and in turn between the values of their option `tenant`.
 */
export interface BoundOptions {
  /**
   * How many calls run at a time, cold, warm and unconfined together, 1 to 100,000. Default: four for each processor that
   * this process may use, at least 8; fewer where memory, descriptors (`ulimit -n`) or the jail's uids are scarce. All
   * jails of a process together run as many as that default, or as the largest number that any of them was given.
   */
  maxRunning?: number | undefined;
  /** How many more may wait for their turn, 0 to 1,000,000; 0: none. Default 10,000. */
  maxQueue?: number | undefined;
  /** How many milliseconds each may wait, 0 to 2,147,483,647. Default 0: as long as it takes. */
  maxWaitMs?: number | undefined;
}

/** What `setBounds` takes: what is absent stays as it is, null puts the default back. */
export type BoundChanges = { [Name in keyof BoundOptions]: BoundOptions[Name] | null };

/** Options of `createJail`. */
export interface JailOptions extends BoundOptions {
  /** Guarantees to give up where this host lacks them, by name. Default: none. */
  allowMissing?: GuaranteeName[] | undefined;
  /** Run safeExec's code without any confinement, with a warning every time. Default false. */
  alwaysBeUnsafe?: boolean | undefined;
  /**
   * The user ids to lease to jails when the server is root: `count` of them from `first` on, for programs, and as many
   * after them, for launchers where there is no PID namespace. Each jail that runs takes one, and each warm command one
   * for all that waits for its calls. Servers that can't see each other's locks need pools that don't overlap, with these
   * 2 × `count` ids. Default: 4096 from 1,900,000,000 on.
   */
  uidPool?:
    | {
        /** The first id, 1 or more. */
        first: number;
        /** How many jails have one at a time. */
        count: number;
      }
    | undefined;
  /**
   * Where jails have cgroups (v2) of their own: `auto`, where this server has been given a part of the tree;
   * `false`, nowhere; a path, below that cgroup, and no jail without. Default `auto`.
   */
  cgroup?: 'auto' | false | `/${string}` | undefined;
  /** Commands to configure, by name; a string is the program's path. Default: `python`, where one is found. */
  commands?: Record<string, string | CommandOptions> | undefined;
  /** Limits of every call, see `Limits`. Default: those of `defaults`. */
  limits?: Partial<Limits> | undefined;
  /**
   * Whose defaults limits have: `'codejail'`, those of Python's CodeJail (`realtime` 1, `fsize` 0; `memory` no less than
   * `vmem`), which `applySettings` takes too. Default `'own'`.
   */
  defaults?: LimitDefaults | undefined;
  /**
   * Told what each run did that has a `slug`, and of what is dangerous or configured in vain: a function, or a logger as
   * pino's. Default: nobody is told.
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail({ logger: (level, message) => console.log(level, message) });
   * await jail.jailCode('python', { code: '1', slug: 'exercise 7' });
   * await jail.close();
   */
  logger?: Logger | StructuredLogger | undefined;
}

/**
 * A file to write: its path in the jail, its text or bytes, and where it matters its permission bits, 0 to 0o777
 * (default 0o644): `['run.sh', text, { mode: 0o755 }]`. Outside of `tmp` nobody may write it, whatever they say.
 */
export type ExtraFileEntry = readonly [
  name: string,
  content: string | Uint8Array,
  attributes?:
    | {
        /** Permission bits, 0 to 0o777. Default 0o644. */
        mode?: number | undefined;
      }
    | undefined,
];

/** What the calls that run a program have in common. */
export interface RunOptions {
  /** Files, directories and symbolic links of the host to copy in, each under its own base name. Default: none. */
  files?: (string | URL)[] | undefined;
  /**
   * Files to write, by relative path; missing directories are made. They are the program's to read, and below `tmp/` its
   * own: there they count to the limits `disk` and `files`. Bytes are copied when the call is made; where there are more
   * than 512 KiB, while the event loop goes on: leave them as they are until the call has ended, as those of `code` and
   * `stdin`.
   */
  extraFiles?: Iterable<ExtraFileEntry> | undefined;
  /** Where the program starts: `'tmp'`, the writable directory, or `'.'`, that of its files. Default `'.'`. */
  cwd?: StartDirectory | undefined;
  /** Limits of this call alone, see `Limits`. Default: those of its context, and of the jail. */
  limits?: Partial<Limits> | undefined;
  /** The context whose overrides of limits apply, set by `overrideLimit`. Default: none. */
  limitOverridesContext?: string | undefined;
  /**
   * On whose behalf the call is made. Where calls have to wait, each tenant's take turns with the others', however many
   * wait: a user's, course's or customer's name, never a new one for each call. Default: that of all calls without one.
   */
  tenant?: string | undefined;
  /** What logs, warnings and diagnostics call this run. Default: nothing. */
  slug?: string | undefined;
  /**
   * Files or globs, relative to the jail's `tmp`, to bring back: `plot.png`, `*.csv`, `**\/*.txt`. `*` and `?` match
   * within a name, also one that begins with a dot, `**` any directories. All together may have as many bytes as the
   * limit `output`. Refused where `fsize` is 0: then nothing can be written.
   */
  collect?: string[] | undefined;
  /**
   * Records what the program tries to open, make, run or connect to, and fails, in `attempts` of the result. Such a call
   * runs cold, and somewhat slower. Default false.
   */
  explain?: boolean | undefined;
  /** Aborting ends the program and all that it started; the call then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** The program's arguments, without NUL. Default: none. */
  argv?: string[] | undefined;
  /** Standard input; an iterable is read while the program runs. Default: empty. */
  stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  /**
   * More environment, over the command's own. A variable that Python would ignore, since the command's arguments have `-E`
   * or `-I`, is refused.
   */
  env?: Record<string, string> | undefined;
  /** Called with standard output as it comes, in chunks; what it throws ends the program and rejects the call. */
  onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Called with standard error as it comes, in chunks; what it throws ends the program and rejects the call. */
  onStderr?: ((chunk: Buffer) => void) | undefined;
  /** Called with standard output as it comes, as text: no character is cut. What is not UTF-8 is U+FFFD. */
  onStdoutText?: ((text: string) => void) | undefined;
  /** Called with standard error as it comes, as text: no character is cut. What is not UTF-8 is U+FFFD. */
  onStderrText?: ((text: string) => void) | undefined;
  /**
   * Called with each line of standard output as it comes, as text without its end (`\n`, `\r\n`), at last with what
   * follows the last end. A line of more than 16 Mi characters comes in parts.
   */
  onStdoutLine?: ((line: string) => void) | undefined;
  /**
   * Called with each line of standard error as it comes, as text without its end (`\n`, `\r\n`), at last with what
   * follows the last end. A line of more than 16 Mi characters comes in parts.
   */
  onStderrLine?: ((line: string) => void) | undefined;
}

/** How a jail is closed: options of `close`. */
export interface CloseOptions {
  /** Lets every call end that runs or waits, and refuses later ones. Default false: they are ended, and reject. */
  drain?: boolean | undefined;
  /** After so many milliseconds of `drain` what is left is ended after all. Default: as long as it takes. */
  timeoutMs?: number | undefined;
}

/** Options of `inspectHost`, `verify` and `warmUp`, which wait for something that is done once for whoever wants it. */
export interface WaitOptions {
  /** Aborting ends the wait, which then rejects with the signal's reason; what has begun goes on. */
  signal?: AbortSignal | undefined;
}

/** Options of `jailCode`: one run of a program. */
export interface JailCodeOptions extends RunOptions {
  /** The program's text, written as the file `jailed_code` and passed as the first argument. Default, and empty: none. */
  code?: string | Uint8Array | undefined;
}

/** Options of `safeExec`, `safeExecJson` and `notSafeExec`: one run of Python code. */
export interface SafeExecOptions extends RunOptions {
  /** The configured command to run it with; it has to be a Python. Default `python`. */
  command?: string | undefined;
  /**
   * Directories and zip files to search for modules. One that `extraFiles` does not provide under its base
   * name is copied in from the host. Default: none.
   */
  pythonPath?: (string | URL)[] | undefined;
  /**
   * Functions of the server's, by the names that the program calls them by, as ordinary functions: with what JSON carries,
   * both ways by the rules of globals. One that throws or rejects raises `HostError` in the program, with its message only.
   * The time that an answer takes counts to `realtime`, not to `cpu`; what is asked counts to `output`, 16 calls at a time
   * are answered. A function takes the place of a global of that name. Default: none.
   * @example
   * import { safeExec } from 'codejail';
   *
   * const prices = new Map([['tea', 2.5]]);
   * const globals = {};
   * const functions = { price: async (what) => prices.get(what) };
   * await safeExec('total = price("tea") * 3', globals, { functions });
   * console.log(globals.total); // 7.5
   */
  functions?: HostFunctions | undefined;
}

/** What both kinds of call come to once they are checked; what was not given, and has no default, is absent. */
export interface RunArguments extends OutputCallbacks {
  files: FileArgument[];
  extraFiles: ExtraFile[];
  cwd: StartDirectory;
  limits: Partial<Limits>;
  limitOverridesContext?: string | undefined;
  tenant?: string | undefined;
  slug?: string | undefined;
  collect: string[];
  explain: boolean;
  signal?: AbortSignal | undefined;
  argv: string[];
  stdin?: Given | Input | undefined;
  env: Record<string, string>;
}

/** `JailCodeOptions`, checked and copied. */
export interface JailCodeArguments extends RunArguments {
  code?: Given | undefined;
}

/** `SafeExecOptions`, checked and copied. */
export interface SafeExecArguments extends RunArguments {
  command: string;
  /** Base names, relative to the jail's directory. */
  pythonPath: string[];
  /** Those of `files` that are copied in for `pythonPath` alone. */
  searched: FileArgument[];
  functions: readonly CheckedFunction[];
}

/** `CommandOptions`, checked and copied. */
export interface CommandArguments {
  bin: string;
  /** Default: the command's. */
  args?: string[] | undefined;
  /** Default: by its name. */
  python?: boolean | 'found' | 'owned' | undefined;
  user?: string | undefined;
  profile?: string | undefined;
  readPaths: string[];
  env: Record<string, string>;
  warm: false | WarmArguments;
  allowExec: boolean;
}

/** `BoundOptions`, checked and copied. */
export interface BoundArguments {
  maxRunning?: number | undefined;
  maxQueue?: number | undefined;
  maxWaitMs?: number | undefined;
}

/** `JailOptions`, checked and copied. */
export interface JailArguments {
  bounds: BoundArguments;
  allowMissing: GuaranteeName[];
  alwaysBeUnsafe: boolean;
  uidPool?: { first: number; count: number } | undefined;
  cgroup: 'auto' | false | `/${string}`;
  commands: Map<string, CommandArguments>;
  limits: Partial<Limits>;
  defaults: LimitDefaults;
  logger?: Logger | StructuredLogger | undefined;
}
