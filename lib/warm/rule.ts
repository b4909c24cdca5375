// The one place that decides which calls a warm Python may serve; docs/warm-python.md has the list.
import type { HostShare } from '../command/command';
import { LANDLOCK_WITH_TRUNCATE, type Confinement } from '../confinement/plan';
import type { HostView } from '../host/view';
import { LIMIT_DEFINITIONS, sameDiskLimits, type DiskLimits } from '../limits';
import { SpecFlag } from '../native/spec';
import type { CommandArguments } from '../options/types';
import type { Call } from '../spec/call';
import { isInTmp, type JailFile } from '../spec/files';
import { isWithin } from '../text/is-within';

/** Why a call ran cold, each with its meaning. */
export const COLD_REASONS = Object.freeze({
  'not-warm': 'the command is not configured warm',
  proxy: 'the limit proxy, or CODEJAIL_PROXY, is 0',
  'not-python': 'the command is not a Python',
  'command-args': 'the command has arguments that a running Python can not take',
  'allow-exec': 'the command may execute programs; a cell may not',
  cgroup: 'the jail has a cgroup that was named by its path; a cell has none of its own',
  tmp: 'the command is, or shows, something below /tmp, where a cell has its own',
  host: 'this host gives no namespaces, or its Landlock is older than version 3',
  files: 'the call has files of the host, which only a new jail can be given',
  env: 'the call has an environment of its own',
  'own-place':
    'the call starts in tmp, puts files there or gives them a mode, which only a new jail does',
  explain: 'the call is to be explained, which only a new jail is built for',
  'no-code': 'the call has no code: the program comes by standard input',
  'big-files':
    'the call brings many files, or long ones, which a cell would write within its own limits',
  'disk-limits':
    'the call has limits of its own for disk or files, which a waiting cell has already',
  stack: 'the call has a limit of its own for the stack, which a Python gets when it starts',
  'open-files':
    'the call has more open files, or no limit for them, than a Python that waits may have',
  starting: 'no template stood yet',
  failed: 'the template could not be started, or cells could not be made; it is tried again later',
  'queue-full': 'as many calls waited for a cell as may wait',
  'slower-to-wait': 'a cold start was faster than waiting',
  'waited-too-long': 'no cell came in the time that was expected',
  'cells-lost': 'one cell after the other died before it began',
  closed: 'the command was configured anew, or the jail closed',
});

/** Why a call ran cold: `not-warm`, `files`, `env` …; docs/warm-python.md has each with its meaning. */
export type ColdReason = keyof typeof COLD_REASONS;

// These change nothing after Python's start but what it has read by then, and a template starts by them too.
const HARMLESS_ARGUMENT = /^-[BEIOPqsSu]+$/;

/** Why no call of a jail can ever be warm, if there is a reason: known before anything of a command is looked at. */
export function whyNeverWarmIn(cgroup: HostShare['cgroup']): ColdReason | undefined {
  return cgroup === 'auto' || cgroup === false ? undefined : 'cgroup';
}

/** Why no call of this command can ever be warm here, if there is a reason. */
export function whyNeverWarm(
  options: Pick<CommandArguments, 'warm' | 'allowExec' | 'args'>,
  runtime: { python: boolean; view: Pick<HostView, 'binds'>; outputLibrary: string | undefined },
  confinement: Pick<Confinement, 'flags'>,
  landlock: number,
): ColdReason | undefined {
  if (options.warm === false) return 'not-warm';
  if (!runtime.python) return 'not-python';
  if (options.args?.every((argument) => HARMLESS_ARGUMENT.test(argument)) === false) {
    return 'command-args';
  }
  if (options.allowExec) return 'allow-exec';
  // A template has loaded the library, which its cells need not see.
  const { view, outputLibrary } = runtime;
  if (view.binds.some((path) => isWithin(path, '/tmp') && path !== outputLibrary)) return 'tmp';
  if ((confinement.flags & SpecFlag.ownRoot) === 0 || landlock < LANDLOCK_WITH_TRUNCATE) {
    return 'host';
  }
  return undefined;
}

// A new jail's are written before its program's time begins; a cell's main process takes 10 ms for so many.
const MOST_FILES = 1000;
const MOST_FILE_BYTES = 4 * 1024 * 1024;

/** What of a call a cell may be unable to give. */
export interface Demand extends Pick<
  Call,
  'limits' | 'files' | 'copies' | 'env' | 'cwd' | 'explain'
> {
  /** Whether there is code, the file `PROGRAM_NAME`. */
  hasCode: boolean;
}

/** What a Python that waits has when it starts. */
export const WAITING_STACK = LIMIT_DEFINITIONS.stack.default as number;
// Descriptors that are sent and not yet received count for the user, and a sender fails who may have fewer open than
// that (unix(7), ETOOMANYREFS): more than the cells of a hostile program, which have that user too, can have on the way.
export const WAITING_OPEN_FILES = 4096;

function areBig(files: Demand['files']): boolean {
  let bytes = 0;
  for (const { content } of files) {
    bytes += content.length;
  }
  return files.length > MOST_FILES || bytes > MOST_FILE_BYTES;
}

function hasOwnPlace({ name, mode }: JailFile): boolean {
  return mode !== undefined || isInTmp(name);
}

/** Why a call can't be warm, whatever its limits and files are, if there is a reason. */
export function whyNotWarmAtAll(demand: Omit<Demand, 'limits' | 'files'>): ColdReason | undefined {
  if (demand.explain) return 'explain';
  if (!demand.hasCode) return 'no-code';
  if (demand.copies.length > 0) return 'files';
  if (Object.keys(demand.env).length > 0) return 'env';
  if (demand.cwd !== '.') return 'own-place';
  return undefined;
}

/**
 * Why this call can't be warm, if there is a reason.
 * @param jailLimits the jail's own: cells are made with their `disk` and `files`
 */
export function whyNotWarm(demand: Demand, jailLimits: DiskLimits): ColdReason | undefined {
  const { limits } = demand;
  if (limits.proxy === 0) return 'proxy';
  const reason = whyNotWarmAtAll(demand);
  if (reason !== undefined) return reason;
  if (demand.files.some(hasOwnPlace)) return 'own-place';
  if (areBig(demand.files)) return 'big-files';
  if (!sameDiskLimits(limits, jailLimits)) return 'disk-limits';
  if (limits.stack !== WAITING_STACK) return 'stack';
  if (limits.openFiles === 0 || limits.openFiles > WAITING_OPEN_FILES) return 'open-files';
  return undefined;
}

/**
 * Whether a call that finds no cell is served sooner by waiting for one. Compared is what all that wait
 * would take: cells come one every `refillMs`, cold starts share the processors.
 * @param waiting how many wait already
 * @param refillMs the time from one new cell to the next, as measured
 * @param coldMs a cold start of the command, with what the template has imported
 */
export function waitingIsFaster(
  waiting: number,
  refillMs: number,
  coldMs: number,
  processors: number,
): boolean {
  const calls = waiting + 1;
  return calls * refillMs <= coldMs * Math.max(1, calls / processors);
}
