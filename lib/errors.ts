import { constants } from 'node:os';
import type { GuaranteeName } from './guarantee-names';
import { errnoDetails, reasonsOf } from './text/errno';
import { printable, printableMessage } from './text/printable';
import { suggestionSentence } from './text/suggestion';

/** The stable codes of this package's errors. */
export type JailErrorCode =
  | 'ERR_CODEJAIL_NOT_CONFIGURED'
  | 'ERR_CODEJAIL_INVALID_ARGUMENT'
  | 'ERR_CODEJAIL_UNCONFINED'
  | 'ERR_CODEJAIL_SETUP'
  | 'ERR_CODEJAIL_EXEC'
  | 'ERR_CODEJAIL_COLLECT'
  | 'ERR_CODEJAIL_CLOSED'
  | 'ERR_CODEJAIL_BUSY'
  | 'ERR_CODEJAIL_SESSION_LOST'
  | 'ERR_CODEJAIL_SESSION_FILE'
  | 'ERR_CODEJAIL_MISSING_PACKAGE';

/** A guarantee that this host can't give: why not, and the command that cures it. */
export interface MissingGuarantee {
  /** Its name. */
  guarantee: GuaranteeName;
  /** What is missing here, in words. */
  why: string;
  /** What to do, as a command where there is one. */
  cure: string;
  /** The same as commands to be typed, in order, each in its words; absent where no command cures it. */
  commands?: readonly (readonly string[])[];
}

/** Why nothing can be given up where there is no jail. */
export const NO_JAIL =
  'No jail could be made at all: until this is cured nothing runs, whatever is given up by name.';

/** What is missing for one reason, together. */
export function byCause(
  missing: readonly MissingGuarantee[],
): { guarantees: GuaranteeName[]; why: string; cure: string }[] {
  const causes = new Map<string, { guarantees: GuaranteeName[]; why: string; cure: string }>();
  for (const { guarantee, why, cure } of missing) {
    const cause = causes.get(`${why}\0${cure}`) ?? { guarantees: [], why, cure };
    cause.guarantees.push(guarantee);
    causes.set(`${why}\0${cure}`, cause);
  }
  return [...causes.values()];
}

/** What an error knows beyond its code and message; each is there only where it applies. */
export interface JailErrorDetails {
  /** The argument at fault, as a path. */
  argument?: string | undefined;
  /** The step of making the jail that failed. */
  step?: string | undefined;
  /** The kernel's error number, positive. */
  errno?: number | undefined;
  /** The kernel's error by name. */
  errnoName?: string | undefined;
  /** The system call that failed. */
  syscall?: string | undefined;
  /** The guarantees that this host can't give. */
  missing?: readonly MissingGuarantee[] | undefined;
  /** What it comes from. */
  cause?: unknown;
}

/**
 * Every error that this package makes. `code` tells them apart and never changes. Made by the package alone, as its
 * classes are: what a caller does is to catch them.
 * @example
 * import { jailCode, JailError } from 'codejail';
 *
 * try {
 *   await jailCode('python', { code: 'print(1)', limits: { cpu: -1 } });
 * } catch (error) {
 *   if (!(error instanceof JailError)) throw error;
 *   console.log(error.code, error.argument); // ERR_CODEJAIL_INVALID_ARGUMENT options.limits.cpu
 * }
 */
export class JailError extends Error {
  /** Which error it is. Never changes. */
  declare readonly code: JailErrorCode;
  /** The argument at fault, as a path: `options.extraFiles[2][0]`. */
  declare readonly argument?: string;
  /** The step of making the jail that failed. */
  declare readonly step?: string;
  /** The kernel's error number, positive. */
  declare readonly errno?: number;
  /** The kernel's error by name: `EPERM`. */
  declare readonly errnoName?: string;
  /** The system call that this step consists of, or mostly fails in. */
  declare readonly syscall?: string;
  /** The guarantees that this host can't give. */
  declare readonly missing?: readonly MissingGuarantee[];

  /** @param message one line, or several of this package's own */
  constructor(
    code: JailErrorCode,
    message: string | readonly string[],
    details: JailErrorDetails = {},
  ) {
    // Names of files and what others have written stand in it, and it goes to terminals and logs: a line break of theirs
    // would begin a line that looks like somebody else's.
    super(
      (typeof message === 'string' ? [message] : message).map(printable).join('\n'),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    for (const [key, value] of Object.entries(details) as [string, unknown][]) {
      // Error itself has taken the cause.
      if (key !== 'cause' && value !== undefined) {
        Object.defineProperty(this, key, { value, enumerable: true });
      }
    }
    // The stack's first line is made from the name: give it the code there, as Node's own errors do.
    const name = this.name;
    if (Error.stackTraceLimit === 0) {
      const stack = `${name} [${code}]: ${this.message}`;
      Object.defineProperty(this, 'stack', { value: stack, writable: true, configurable: true });
      return;
    }
    Object.defineProperty(this, 'name', { value: `${name} [${code}]`, configurable: true });
    Error.captureStackTrace(this, new.target);
    // V8 writes the stack when it is first read.
    Reflect.get(this, 'stack');
    Reflect.deleteProperty(this, 'name');
  }

  /** Name, code and message, as its stack begins. */
  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}`;
  }
}

/** Gives a class of errors its name, which a minifier would change. */
export function nameClass(errorClass: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', {
    value: name,
    configurable: true,
    writable: true,
  });
}

/**
 * An argument was refused, before anything ran. `argument` says which.
 * @example
 * import { createJail, InvalidArgumentError } from 'codejail';
 *
 * try {
 *   createJail({ maxRunning: 0 });
 * } catch (error) {
 *   if (!(error instanceof InvalidArgumentError)) throw error;
 *   console.log(error.argument); // options.maxRunning
 * }
 */
export class InvalidArgumentError extends JailError {
  /** The argument's path, as the caller would write it: `options.limits.cpu`. */
  declare readonly argument: string;

  /**
   * @param argument the argument's path, as the caller would write it: `options.limits.cpu`
   * @param problem what is wrong and what to do, continuing the sentence that the path begins
   */
  constructor(argument: string, problem: string, cause?: unknown) {
    super('ERR_CODEJAIL_INVALID_ARGUMENT', printable(`${argument} ${problem}`), {
      argument,
      cause,
    });
  }
}

/**
 * A package is not installed that a helper of this one is for, such as `prom-client`. `packageName` says which.
 * @example
 * import { MissingPackageError } from 'codejail';
 * import { collectMetrics } from 'codejail/prometheus';
 *
 * try {
 *   await collectMetrics();
 * } catch (error) {
 *   if (!(error instanceof MissingPackageError)) throw error;
 *   console.warn(`no metrics: npm install ${error.packageName}`);
 * }
 */
export class MissingPackageError extends JailError {
  /** What is to be installed. */
  readonly packageName: string;

  /**
   * @param packageName what is to be installed
   * @param range the versions that will do
   * @param user what needs it: `codejail/prometheus`
   */
  constructor(packageName: string, range: string, user: string, cause?: unknown) {
    super(
      'ERR_CODEJAIL_MISSING_PACKAGE',
      `${user} needs the package ${packageName}, which is not installed where codejail is: npm install '${packageName}@${range}'`,
      { cause },
    );
    this.packageName = packageName;
  }
}

/**
 * A command was used that nobody configured.
 * @example
 * import { jailCode, NotConfiguredError } from 'codejail';
 *
 * try {
 *   await jailCode('cobol', { code: '' });
 * } catch (error) {
 *   console.log(error instanceof NotConfiguredError); // true
 * }
 */
export class NotConfiguredError extends JailError {
  /** @param configured the names of the commands that are configured */
  constructor(command: string, configured: readonly string[] = []) {
    const name = JSON.stringify(command);
    super(
      'ERR_CODEJAIL_NOT_CONFIGURED',
      `the command ${name} is not configured: call configure(${name}, '/path/to/the/program') first. ` +
        (configured.length === 0
          ? 'No command is configured.'
          : suggestionSentence(command, configured)),
      { argument: 'command' },
    );
  }
}

/**
 * Nothing was run, because this host can't give every guarantee that is required.
 * @example
 * import { jailCode, UnconfinedError } from 'codejail';
 *
 * try {
 *   await jailCode('python', { code: 'print(1)' });
 * } catch (error) {
 *   if (!(error instanceof UnconfinedError)) throw error;
 *   for (const { guarantee, why, cure } of error.missing) console.error(guarantee, why, cure);
 * }
 */
export class UnconfinedError extends JailError {
  /** Each guarantee that is missing, with why and the cure. */
  declare readonly missing: readonly MissingGuarantee[];
  /** Whether what is missing can be given up by name; not where no jail could be made at all. */
  readonly canBeGivenUp: boolean;

  /**
   * @param missing what this host lacks
   * @param canBeGivenUp whether it can be given up by name
   */
  constructor(missing: readonly MissingGuarantee[], canBeGivenUp = true) {
    const names = missing.map(({ guarantee }) => `'${guarantee}'`).join(', ');
    const lines = byCause(missing).flatMap(({ guarantees, why, cure }) => [
      `  ${guarantees.join(', ')}: ${why}`,
      `    to cure it: ${cure}`,
    ]);
    super(
      'ERR_CODEJAIL_UNCONFINED',
      [
        'nothing was run, because this host does not guarantee everything that is required',
        ...lines,
        canBeGivenUp
          ? `To run without on purpose, give them up by name: allowMissing: [${names}]`
          : NO_JAIL,
      ],
      { missing: Object.freeze(missing.map((entry) => Object.freeze({ ...entry }))) },
    );
    this.canBeGivenUp = canBeGivenUp;
  }
}

const MORE_DESCRIPTORS =
  'raise the limit of descriptors (ulimit -n, LimitNOFILE= of a systemd unit), or have fewer run at a time';

/**
 * A step of making the jail failed, and the program was never started; or, where the step is `supervise`, nobody was left
 * to tell how the program ended.
 * @example
 * import { jailCode, SetupError } from 'codejail';
 *
 * try {
 *   await jailCode('python', { code: 'print(1)' });
 * } catch (error) {
 *   if (!(error instanceof SetupError)) throw error;
 *   console.error(error.step, error.errnoName, error.detail); // of the host, not of the program: try again, or page somebody
 * }
 */
export class SetupError extends JailError {
  /** The step that failed, in words: `make the namespaces`. */
  declare readonly step: string;
  /** What the step worked on: a path, a profile; empty where it says nothing. */
  readonly detail: string;
  /** @internal Which step of the native half it was, whatever it is called. */
  declare readonly stepId: string | undefined;

  /**
   * @param step what was being done, in the words of the launcher's list of steps
   * @param errno the kernel's error number, positive; 0 where no system call failed
   * @param details the system call, what a person should know beyond the error's name, and whether the program had
   *   been started
   */
  constructor(
    step: string,
    errno: number,
    details: {
      /** @internal */
      stepId?: string | undefined;
      syscall?: string | undefined;
      detail?: string | undefined;
      hasStarted?: boolean;
      cause?: unknown;
    } = {},
  ) {
    const { syscall, detail, cause } = details;
    const reasons = reasonsOf(errno, details);
    // The addon's own has the limit that is in force.
    if (errno === constants.errno.EMFILE && detail?.includes('ulimit') !== true) {
      reasons.push(MORE_DESCRIPTORS);
    }
    const what =
      details.hasStarted === true
        ? `the program was started and ended, and how can't be told: step "${step}" failed`
        : `the jail could not be made and the program was not started: step "${step}" failed`;
    const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
    super(
      'ERR_CODEJAIL_SETUP',
      printableMessage(`${what}${why}`).split('\n'), // a traceback has lines
      { step, ...errnoDetails(errno), syscall, cause },
    );
    this.detail = detail ?? '';
    // Not enumerable: `step` says it to people.
    Object.defineProperty(this, 'stepId', { value: details.stepId });
  }
}

/**
 * The jail, or the session, was used after `close()`.
 * @example
 * import { ClosedError, createJail } from 'codejail';
 *
 * const jail = createJail();
 * await jail.close();
 * const error = await jail.jailCode('python', { code: '' }).catch((reason) => reason);
 * console.log(error instanceof ClosedError); // true
 */
export class ClosedError extends JailError {
  /** @param what is closed */
  constructor(what: 'jail' | 'session' = 'jail') {
    super(
      'ERR_CODEJAIL_CLOSED',
      what === 'jail'
        ? 'this jail is closed: make another one with createJail()'
        : 'this session is closed: open another one with openSession()',
    );
  }
}

/**
 * Why a session has no state any more: it was `idle` for `idleSeconds`; all its processes had more than its `memory`; what a step
 * left running used more `cpu` between steps than one may; the step that `ended` had no backup, since the one before had left
 * threads or processes, or it ended its own; the state did not answer (`hung`); its processes were `killed`, or could not be
 * watched any more.
 */
export type SessionLostReason = 'idle' | 'memory' | 'cpu' | 'ended' | 'hung' | 'killed';

const SESSION_LOST: Record<SessionLostReason, string> = {
  idle: 'nothing was run in it for as long as idleSeconds says',
  memory: 'what it holds is over its limit memory',
  cpu: 'what its steps left running used more CPU between them than a step may (the limit cpu)',
  ended: 'the step that ran ended, and there was no state before it to go back to',
  hung: 'its state made no fork in time',
  killed: 'its processes were killed',
};

/**
 * A session has no state that a step could run from. Open another one.
 * @example
 * import { openSession, SessionLostError } from 'codejail';
 *
 * const session = await openSession({ idleSeconds: 0.1 });
 * await new Promise((resolve) => setTimeout(resolve, 500));
 * const error = await session.run('1').catch((reason) => reason);
 * console.log(error instanceof SessionLostError && error.reason); // idle
 */
export class SessionLostError extends JailError {
  /** Why. */
  declare readonly reason: SessionLostReason;

  /** @param detail what a person should know beside */
  constructor(reason: SessionLostReason, detail?: string, cause?: unknown) {
    const more = detail === undefined || detail === '' ? '' : ` (${detail})`;
    super(
      'ERR_CODEJAIL_SESSION_LOST',
      `the session is lost: ${SESSION_LOST[reason]}${more}. Open another one with openSession()`,
      { cause },
    );
    Object.defineProperty(this, 'reason', { value: reason, enumerable: true });
  }
}

/**
 * A file of a session's could not be written or read. The session goes on.
 * @example
 * import { openSession, SessionFileError } from 'codejail';
 *
 * const session = await openSession({ limits: { fsize: 1000 } });
 * const error = await session.files.write('big.bin', Buffer.alloc(5000)).catch((reason) => reason);
 * console.log(error instanceof SessionFileError && error.errnoName); // EFBIG
 * await session.close();
 */
export class SessionFileError extends JailError {
  /** Its path below the session's `tmp`; `.` where all were to be listed. */
  declare readonly path: string;

  /** @param errno the kernel's error number, positive; 0 where no system call failed */
  constructor(
    what: 'written' | 'read',
    path: string,
    errno: number,
    details: { syscall?: string | undefined; detail?: string | undefined; cause?: unknown } = {},
  ) {
    const { syscall, cause } = details;
    const reasons = reasonsOf(errno, details);
    super(
      'ERR_CODEJAIL_SESSION_FILE',
      `${JSON.stringify(path)} of the session could not be ${what}: ${reasons.join('; ')}`,
      { ...errnoDetails(errno), syscall, cause },
    );
    Object.defineProperty(this, 'path', { value: path, enumerable: true });
  }
}

nameClass(JailError, 'JailError');
nameClass(InvalidArgumentError, 'InvalidArgumentError');
nameClass(NotConfiguredError, 'NotConfiguredError');
nameClass(UnconfinedError, 'UnconfinedError');
nameClass(SetupError, 'SetupError');
nameClass(ClosedError, 'ClosedError');
nameClass(MissingPackageError, 'MissingPackageError');
nameClass(SessionLostError, 'SessionLostError');
nameClass(SessionFileError, 'SessionFileError');
