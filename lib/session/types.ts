// What callers of sessions give and get.
import type { SessionLostError } from '../errors';
import type { PythonException } from '../exec/error';
import type { OmittedGlobal } from '../exec/omitted';
import type { Limits } from '../limits';
import type { RunOptions, SafeExecOptions } from '../options/types';
import type { JailResult } from '../run/result';

/** How a session is opened. */
export interface SessionOptions extends Pick<
  SafeExecOptions,
  | 'command'
  | 'files'
  | 'extraFiles'
  | 'pythonPath'
  | 'env'
  | 'functions'
  | 'limitOverridesContext'
  | 'tenant'
  | 'slug'
> {
  /** What the first step finds as its globals, by the rules of `safeExec`. Default: none. */
  globals?: object | undefined;
  /**
   * `memory`, `disk`, `files`, `vmem`, `fsize`, `stack` and `openFiles` are of the whole session, of all its branches
   * together; `nproc` is, too, beside the processes that only wait. `cpu`, `realtime`, `extraTime` and `output` are what each
   * step has unless it names its own.
   */
  limits?: Partial<Limits> | undefined;
  /**
   * After so many seconds without a step the session is closed, 0 to 2,147,483, fractions allowed; 0: never. Default 900.
   */
  idleSeconds?: number | undefined;
  /** Aborting closes the session; what runs then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Which steps are kept: all whose code ended, those that raised nothing, or none. */
export type Keep = 'always' | 'on-success' | 'never';

/** How a step is run. */
export interface StepOptions
  extends
    Pick<
      RunOptions,
      | 'collect'
      | 'onStdout'
      | 'onStderr'
      | 'onStdoutText'
      | 'onStderrText'
      | 'onStdoutLine'
      | 'onStderrLine'
      | 'signal'
      | 'slug'
    >,
    Pick<SafeExecOptions, 'functions'> {
  /** Globals to set before the code runs, by the rules of `safeExec`. Default: none. */
  globals?: object | undefined;
  /** Names of globals to bring back, as `globals` of the result. Default: none. */
  get?: string[] | undefined;
  /**
   * What becomes of the state: `'always'`, it is that after the code, also where that raised, as at a prompt; `'on-success'`, it
   * stays what it was where the code raised; `'never'`, it stays what it was. Steps that are never kept run several at a
   * time. One that met a limit, was aborted or ended its process is never kept. Default `'always'`.
   */
  keep?: Keep | undefined;
  /** `cpu`, `realtime`, `extraTime` and `output` of this step alone. */
  limits?: Partial<Pick<Limits, 'cpu' | 'realtime' | 'extraTime' | 'output'>> | undefined;
}

/** What a value, or a figure, shows itself as. */
export interface Display {
  /** `text/html`, `image/png` … */
  mime: string;
  /** Text; of images but SVG the bytes. */
  data: string | Buffer;
}

/** What a step gave. */
export interface StepResult extends JailResult {
  /** The repr of a last expression, as a prompt shows it, of at most 1 Mi characters; null where there is none, or it is None. */
  value: string | null;
  /**
   * What that value shows itself as (`_repr_html_`, `_repr_svg_`, `_repr_png_`, `_repr_jpeg_`, `_repr_markdown_`,
   * `_repr_latex_`), and the figures that were left open where matplotlib is imported, as PNG. They are closed then.
   */
  display: Display[];
  /** The globals that `get` named. */
  globals: Record<string, unknown>;
  /** Those of them that are missing or that JSON can't carry, each with why. */
  omitted: OmittedGlobal[];
  /** What the code raised, or null. `status` is 1 then. */
  exception: PythonException | null;
  /** Whether the state is that after this step. */
  state: 'advanced' | 'rolled back';
  /**
   * Whether the next step runs in a fork of the state. Where this one left threads or child processes, which no fork has, the
   * next one runs in its process itself, and nothing can be rolled back, until none is left.
   */
  branchable: boolean;
}

/** The files of a session, below its `tmp`. */
export interface SessionFiles {
  /**
   * Writes a file, over the one of that name; missing directories are made.
   * @param name a relative path: `data/rows.csv`
   * @throws InvalidArgumentError; SessionFileError where the host, or the program, keeps it from being written: `EEXIST` where
   *   something else than a file has that name, `ENOSPC` where `disk` or `files` has no room; SessionLostError, ClosedError
   * @example
   * import { openSession } from 'codejail';
   *
   * const session = await openSession();
   * await session.files.write('data/rows.csv', 'a,b\n1,2\n');
   * const { value } = await session.run('open("tmp/data/rows.csv").readline()');
   * console.log(value); // 'a,b\n'
   * await session.close();
   */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /**
   * Reads a file. No link is followed.
   * @param name a relative path, as of `write`
   * @returns null where there is no regular file of that name that can be read
   * @throws InvalidArgumentError; SessionFileError where it has more bytes than the limit `output`, or the host fails;
   *   SessionLostError, ClosedError
   * @example
   * import { openSession } from 'codejail';
   *
   * const session = await openSession();
   * await session.run('print(42, end="", file=open("tmp/answer.txt", "w"))');
   * console.log(String(await session.files.read('answer.txt'))); // 42
   * await session.close();
   */
  read(name: string): Promise<Buffer | null>;
  /**
   * The paths of all regular files, in order.
   * @throws SessionFileError where the host fails; SessionLostError, ClosedError
   * @example
   * import { openSession } from 'codejail';
   *
   * const session = await openSession();
   * await session.files.write('b.txt', '');
   * await session.files.write('a/c.txt', '');
   * console.log(await session.files.list()); // [ 'a/c.txt', 'b.txt' ]
   * await session.close();
   */
  list(): Promise<string[]>;
}

/**
 * A Python that keeps its state from step to step, in a jail of its own. Made by `openSession`.
 * @example
 * import { openSession } from 'codejail';
 *
 * const session = await openSession();
 * await session.run('import math\ndef area(r): return math.pi * r * r');
 * const { value } = await session.run('area(2)');
 * console.log(value); // 12.566370614359172
 * await session.close();
 */
export interface Session extends AsyncDisposable {
  /**
   * Runs one step: Python code, as at a prompt.
   * @throws InvalidArgumentError; SessionLostError where there is no state any more; ClosedError where the session was closed;
   *   BusyError, SetupError; the signal's reason where the step was aborted, which is then rolled back
   * @example
   * import { openSession } from 'codejail';
   *
   * const session = await openSession();
   * const { stdout, value } = await session.run('print("hello")\n1 + 1', { limits: { cpu: 2 } });
   * console.log(stdout.toString().trim(), value); // hello 2
   * await session.close();
   */
  run(code: string, options?: StepOptions): Promise<StepResult>;
  /**
   * A second session from the same state, in the same jail: both go on, and have `tmp`, uid and limits in common.
   * @throws InvalidArgumentError, SessionLostError, ClosedError, BusyError; SetupError where the state can't be forked, or as
   *   many sessions of this jail are open as can be
   * @example
   * import { openSession } from 'codejail';
   *
   * const session = await openSession({ globals: { x: 1 } });
   * const branch = await session.fork();
   * await branch.run('x = 2');
   * console.log((await session.run('x')).value, (await branch.run('x')).value); // 1 2
   * await branch.close();
   * await session.close();
   */
  fork(): Promise<Session>;
  /** Its files, below its `tmp`. */
  readonly files: SessionFiles;
  /** Whether steps can be run. */
  readonly isOpen: boolean;
  /** Why its state is gone, as later steps throw it; null of one that is open, and of one that was closed. */
  readonly lost: SessionLostError | null;
  /**
   * Ends it with all that runs in it, and waits until nothing of it is left. Once more does nothing; forks go on.
   * `await using session = await openSession()` does it at the end of the block.
   * @example
   * import { openSession } from 'codejail';
   *
   * const session = await openSession();
   * await session.close();
   * console.log(session.isOpen); // false
   */
  close(): Promise<void>;
}
