import type { GuaranteeName } from './guarantee-name';
import type { ExtraFile, FileArgument } from './jail-files';
import type { Limits } from './limits';
import type { WarmArguments, WarmOptions } from './warm-options';

/** A program that can be run in a jail. */
export interface CommandOptions {
  /** The program: an absolute path, or a name that is looked up in PATH. */
  bin: string;
  /** Arguments before the call's own. Default: `['-E', '-B']` for the command `python`, else none. */
  args?: string[] | undefined;
  /** The sandbox user, where the caller may switch to it. */
  user?: string | undefined;
  /** The AppArmor profile to change to. */
  profile?: string | undefined;
  /** More of the host to show in the jail, read-only: absolute paths. */
  readPaths?: string[] | undefined;
  /** The program's environment. Nothing of the server's own is passed on. */
  env?: Record<string, string> | undefined;
  /** Keep Python processes ready. For commands that are a Python. Default false. */
  warm?: boolean | WarmOptions | undefined;
  /** Whether the program may run other programs that `readPaths` shows. Default false. */
  allowExec?: boolean | undefined;
}

/** Told what a jail does. */
export type Logger = (level: 'info' | 'warn', message: string) => void;

/** A jail of one's own, independent of the default one. */
export interface JailOptions {
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
  uidPool?: { first: number; count: number } | undefined;
  /**
   * Where jails have cgroups (v2) of their own: `auto`, where this server has been given a part of the tree;
   * `false`, nowhere; a path, below that cgroup, and no jail without. Default `auto`.
   */
  cgroup?: 'auto' | false | `/${string}` | undefined;
  /** Commands to configure, by name; a string is the program's path. */
  commands?: Record<string, string | CommandOptions> | undefined;
  /** Limits to set. */
  limits?: Partial<Limits> | undefined;
  /** Told what each run did, by its `slug`, and of what is dangerous or configured in vain. Default: nobody is told. */
  logger?: Logger | undefined;
}

/** What the calls that run a program have in common. */
export interface RunOptions {
  /** Files, directories and symbolic links of the host to copy in, each under its own base name. */
  files?: (string | URL)[] | undefined;
  /** Files to write, by relative path; missing directories are made. */
  extraFiles?: Iterable<readonly [name: string, content: string | Uint8Array]> | undefined;
  /** Limits of this call alone. */
  limits?: Partial<Limits> | undefined;
  /** The context whose overrides of limits apply. */
  limitOverridesContext?: string | undefined;
  /** What logs call this run. */
  slug?: string | undefined;
  /**
   * Files or globs, relative to the jail's `tmp`, to bring back: `plot.png`, `*.csv`, `**\/*.txt`. `*` and `?` match
   * within a name, also one that begins with a dot, `**` any directories. All together may have as many bytes as the
   * limit `output`; of what the program writes, `fsize` is the limit, 0 by default: nothing.
   */
  collect?: string[] | undefined;
  /** Aborting kills the program; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** A wait for something that is done once, for whoever wants it. */
export interface WaitOptions {
  /** Aborting ends the wait, which then rejects with the signal's reason; what has begun goes on. */
  signal?: AbortSignal | undefined;
}

/** One run of a program. */
export interface JailCodeOptions extends RunOptions {
  /** The program's text, written as `jailed_code` and passed as the first argument. Empty: none. */
  code?: string | Uint8Array | undefined;
  /** The program's arguments. */
  argv?: string[] | undefined;
  /** Standard input; an iterable is read while the program runs. Default: empty. */
  stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  /** More environment, over the command's own. */
  env?: Record<string, string> | undefined;
  /** Called with standard output as it comes. */
  onStdout?: ((chunk: Buffer) => void) | undefined;
  /** Called with standard error as it comes. */
  onStderr?: ((chunk: Buffer) => void) | undefined;
}

/** One run of Python code by safeExec. */
export interface SafeExecOptions extends RunOptions {
  /** The configured command to run it with; it has to be a Python. Default `python`. */
  command?: string | undefined;
  /**
   * Directories and zip files to search for modules. One that `extraFiles` does not provide under its base
   * name is copied in from the host.
   */
  pythonPath?: (string | URL)[] | undefined;
}

/** What both kinds of call come to once they are checked. */
export interface RunArguments {
  files: FileArgument[];
  extraFiles: ExtraFile[];
  limits: Partial<Limits>;
  limitOverridesContext: string | null;
  slug: string | null;
  collect: string[];
  signal: AbortSignal | null;
}

/** `JailCodeOptions`, checked and copied. */
export interface JailCodeArguments extends RunArguments {
  code: Buffer | null;
  argv: string[];
  stdin: Buffer | AsyncIterable<unknown> | null;
  env: Record<string, string>;
  onStdout: ((chunk: Buffer) => void) | null;
  onStderr: ((chunk: Buffer) => void) | null;
}

/** `SafeExecOptions`, checked and copied. */
export interface SafeExecArguments extends RunArguments {
  command: string;
  /** Base names, relative to the jail's directory. */
  pythonPath: string[];
  /** Those of `files` that are copied in for `pythonPath` alone. */
  searched: FileArgument[];
}

/** `CommandOptions`, checked and copied. */
export interface CommandArguments {
  bin: string;
  /** null: the command's default. */
  args: string[] | null;
  user: string | null;
  profile: string | null;
  readPaths: string[];
  env: Record<string, string>;
  warm: false | WarmArguments;
  allowExec: boolean;
}

/** `JailOptions`, checked and copied. */
export interface JailArguments {
  allowMissing: GuaranteeName[];
  alwaysBeUnsafe: boolean;
  uidPool: { first: number; count: number } | null;
  cgroup: 'auto' | false | `/${string}`;
  commands: Map<string, CommandArguments>;
  limits: Partial<Limits>;
  logger: Logger | null;
}
