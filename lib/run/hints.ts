// Why a program that failed may have failed: each guarantee and limit that it seems to have met, and what would allow it.
import { LIMIT_DEFINITIONS, memoryWall, type LimitName, type Limits } from '../limits';
import type { NativeReport } from '../native/report';
import type { Attempt } from './attempt';
import { complaintOf, type Complaint } from './complaints';
import { explainExceeded } from './exceeded';
import type { Hint } from './hint';
import { lastLines, pythonEnd, type PythonEnd } from './last-words';
import type { Exceeded, JailResult } from './result';

/** What is known of a run that failed. */
export interface Failed extends Pick<JailResult, 'status' | 'signal' | 'outcome' | 'exceeded'> {
  stderr: Buffer;
  limits: Limits;
  /** The launcher's, where it could report. */
  report: NativeReport | undefined;
  /** Where the program ran. */
  directory: string;
  /** Whether the command may execute other programs. */
  mayExec: boolean;
  /** What an explained call tried in vain. */
  attempts: readonly Attempt[];
}

const MOST_HINTS = 4;
const MOST_TOLD = 200;

type Tried = Partial<Hint['tried']>;

function hint(by: Hint['by'], option: string | null, message: string, tried: Tried = {}): Hint {
  return { by, tried: { call: '', path: null, size: null, ...tried }, option, message };
}

function told(text: string): string {
  return text.length > MOST_TOLD ? `${text.slice(0, MOST_TOLD)}…` : text;
}

/** A value in its limit's unit; seconds to the millisecond. */
function inUnit(limit: LimitName, value: number): string {
  const { unit } = LIMIT_DEFINITIONS[limit];
  return unit === 'seconds'
    ? `${Math.round(value * 1000) / 1000} s`
    : `${value}${unit === 'bytes' ? ' bytes' : ''}`;
}

function ofLimit(limit: LimitName, what: string, limits: Limits, tried: Tried): Hint {
  const allowed = inUnit(limit, limits[limit] ?? 0);
  return hint(
    limit,
    `limits.${limit}`,
    `${what}: the limit ${limit} is ${allowed}; the option limits.${limit} sets it`,
    tried,
  );
}

function ofExceeded(exceeded: Exceeded): Hint {
  const { limit, measured } = exceeded;
  return hint(
    limit,
    `limits.${limit}`,
    `${explainExceeded(exceeded)}${measured === null ? '' : `, ${inUnit(limit, measured)}`}; the option limits.${limit} sets it`,
    { call: limit, size: measured },
  );
}

/** A complaint, and all that is known of who complains. */
interface Scene extends Failed {
  complaint: Complaint;
  python: PythonEnd | null;
  /** The lines that show what the program was about: a traceback's, else the complaint's. */
  code: string;
}

const EXEC =
  /_execute_child|posix_spawn|os\.exec|execv|subprocess|popen|system\(|fork\/exec|Cannot run program|child_process|\bspawn(?:Sync)?\b|\bexec(?:ve|vp|l|lp)?\b|`.*`/i;
const SOCKET = /socket|connect|urlopen|requests|http|bind\(|listen\(|sendto/i;
const WRITES =
  /open\([^)]*,\s*(?:mode\s*=\s*)?['"][wax+]|mode\s*=\s*['"][wax+]|['"]r\+|write|mkdir|makedirs|touch|unlink|remove|rename|rmdir|symlink|O_CREAT|O_WRONLY|O_RDWR|\bto_csv|savefig|\bsave\(|dump\(|cannot (?:create|touch|remove|move)|copy/i;
const IDENTITY = /set(?:res|re)?[ug]id|setgroups|chown|chroot|sethostname/i;
const KERNEL =
  /ptrace|mount|unshare|setns|memfd|shmget|keyctl|bpf|perf_event|io_uring|reboot|swapon|settimeofday|clock_settime|iopl|init_module|pidfd|sendmsg|send_fds|mmap|mprotect|syscall\(|sched_set|nice\(|setpriority|mlock|inotify|fanotify|prctl|personality|userfaultfd|mq_open|semget|msgget/i;
const PROCESS = /\bkill|killpg|setrlimit|prlimit/i;

function ofExec({ complaint, mayExec, code }: Scene): Hint {
  const { path } = complaint;
  const what = `it tried to run ${path === null ? 'another program' : told(path)}`;
  return mayExec
    ? hint(
        'files',
        'readPaths',
        `${what}, which its jail does not show or may not run: the option readPaths of the command shows more of the host`,
        { call: 'exec', path },
      )
    : hint(
        'processes',
        'allowExec',
        `${what}: the guarantee processes allows that to a command with the option allowExec alone, of what readPaths shows`,
        { call: /fork/.test(code) ? 'fork and exec' : 'exec', path },
      );
}

const NETWORK_REASON =
  'the guarantee network leaves a program no network and none but Unix sockets in its own tmp; no option allows it: pass data in by files, stdin or globals';

function ofNetwork({ complaint }: Scene, call: string): Hint {
  return hint('network', null, `it tried to ${call}: ${NETWORK_REASON}`, {
    call,
    path: complaint.path,
  });
}

function isInside(path: string, { directory }: Failed): boolean {
  return !path.startsWith('/') || path === directory || path.startsWith(`${directory}/`);
}

function isTmp(path: string, { directory }: Failed): boolean {
  const inner = path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
  return /^(?:\.\/)?tmp(?:\/|$)/.test(inner);
}

const SHARED_MEMORY =
  /SharedMemory|ShareableList|shared_memory|_posixshmem|shm_open|sem_open|SemLock/;

/** Whether a path is a name of shared memory or of a semaphore, which is in /dev/shm. */
function isSharedMemory(path: string, code: string): boolean {
  return /^\/[^/]+$/.test(path) && SHARED_MEMORY.test(code);
}

function ofPath(scene: Scene, path: string): Hint | null {
  const { complaint, code, limits } = scene;
  const isAbsent = complaint.kind === 'ENOENT';
  const shown = told(path);
  if (path.startsWith('/dev/shm') || isSharedMemory(path, code)) {
    return hint(
      'files',
      null,
      isAbsent
        ? `it looked for shared memory, ${shown}, that is not there: each jail has its own, in which nothing is when it begins; no option shares it`
        : `it tried to use shared memory, ${shown}, in a way that is denied: it can make, open and remove there what it knows the name of, and can list nothing; no option allows more`,
      { call: 'shm_open', path },
    );
  }
  if (path.startsWith('/proc') || path.startsWith('/sys')) {
    return hint(
      'metadata',
      null,
      `it tried to open ${shown}: the guarantee metadata hides what tells of the host and of other processes; no option shows it`,
      { call: 'open', path },
    );
  }
  if (isInside(path, scene)) {
    if (isAbsent) {
      return hint(
        'files',
        'extraFiles',
        `there is no ${shown} in its directory: the options files and extraFiles put files there`,
        { call: 'open', path },
      );
    }
    if (isTmp(path, scene)) {
      return limits.fsize === 0 ? ofWriting(scene, path) : null;
    }
    return hint(
      'files',
      'cwd',
      `it tried to change ${shown}: all of its directory but ./tmp is read-only; it may write below ./tmp, which is also its TMPDIR, and starts there with the option cwd: 'tmp'`,
      { call: 'write', path },
    );
  }
  if (!isAbsent && WRITES.test(code)) {
    return hint(
      'files',
      null,
      `it tried to write ${shown}: the guarantee files lets it write below ./tmp alone; no option allows more`,
      { call: 'write', path },
    );
  }
  return hint(
    'files',
    'readPaths',
    `it tried to open ${shown}, which is outside of its jail: the option readPaths of the command shows more of the host, files and extraFiles of the call put a copy into its directory`,
    { call: 'open', path },
  );
}

function ofWriting({ limits, report }: Failed, path: string | null): Hint {
  if (limits.fsize === 0) {
    return ofLimit('fsize', 'it tried to write a file, and may write nothing', limits, {
      call: 'write',
      path,
      size: null,
    });
  }
  if (report?.filesFull === true) {
    return ofLimit('files', 'it has made as many files as it may', limits, {
      call: 'create',
      path,
      size: report.diskFiles,
    });
  }
  return report?.diskFull === true
    ? ofLimit('disk', 'its tmp is full', limits, { call: 'write', path, size: report.diskBytes })
    : ofLimit('fsize', 'it tried to write a file that is larger than it may', limits, {
        call: 'write',
        path,
        size: null,
      });
}

function shareOf(used: number | undefined, limit: number): number {
  return limit === 0 ? 0 : (used ?? 0) / limit;
}

// A file without a name, as a semaphore's, is gone with the program: then what it had more of by then.
function lacksFiles({ limits, report }: Failed): boolean {
  return (
    report?.filesFull === true ||
    (report?.diskFull !== true &&
      shareOf(report?.diskFiles, limits.files) >
        Math.max(0.5, shareOf(report?.diskBytes, limits.disk)))
  );
}

function ofSpace(failed: Scene, path: string | null): Hint {
  const { limits, report, code } = failed;
  const isShared = path?.startsWith('/dev/shm') === true || SHARED_MEMORY.test(code);
  return lacksFiles(failed)
    ? ofLimit('files', 'it has made as many files as it may', limits, {
        call: 'create',
        path,
        size: report?.diskFiles ?? null,
      })
    : ofLimit(
        'disk',
        isShared
          ? 'its shared memory has no room left, which counts with tmp'
          : 'its tmp has no room left',
        limits,
        { call: 'write', path, size: report?.diskBytes ?? null },
      );
}

// The stacks of threads are memory that is asked for before it is used.
function ofTasks({ limits, report }: Failed, call: string): Hint {
  const isShort =
    limits.memory > 0 && (report?.peakDataBytes ?? 0) > memoryWall(limits.memory) * 0.9;
  return isShort
    ? ofLimit('memory', `it tried to ${call}, for whose stack there was no memory left`, limits, {
        call,
      })
    : ofLimit('nproc', `it tried to ${call}, and has as many as it may`, limits, {
        call,
        size: limits.nproc,
      });
}

const PASSES_DESCRIPTORS = /sendmsg|send_fds|sendfds|forkserver|SCM_RIGHTS/;

function ofRefused(scene: Scene): Hint | null {
  const { complaint, code } = scene;
  const { path, kind } = complaint;
  if (path?.includes('/') !== true && PASSES_DESCRIPTORS.test(code)) {
    return hint(
      'kernel',
      null,
      "it tried to pass descriptors to another process: the guarantee kernel refuses it, and no option allows it; multiprocessing needs none with the start methods 'fork', and 'spawn' under the option allowExec",
      { call: 'sendmsg' },
    );
  }
  if (path?.startsWith('/') !== true && IDENTITY.test(code)) {
    return hint(
      'identity',
      null,
      'it tried to change its identity, an owner or what only root may: the guarantee identity leaves it no privilege; no option gives any',
      { call: IDENTITY.exec(code)?.[0] ?? 'setuid' },
    );
  }
  if (path?.startsWith('/') !== true && PROCESS.test(code)) {
    return hint(
      'processes',
      null,
      'it tried to reach a process that is not its own: the guarantee processes lets it reach those of its jail alone; no option allows it',
      { call: PROCESS.exec(code)?.[0] ?? 'kill' },
    );
  }
  const isBinary = path !== null && /^\/(?:usr\/)?(?:local\/)?s?bin\//.test(path);
  if ((EXEC.test(code) || isBinary) && !/open\(/.test(complaint.line)) {
    return ofExec(scene);
  }
  if (path?.includes('/') !== true && SOCKET.test(code) && !KERNEL.test(code)) {
    return ofNetwork(scene, 'open a socket');
  }
  if (path !== null && (path.includes('/') || kind !== 'EPERM')) {
    return ofPath(scene, path);
  }
  return ofKernel(scene);
}

function ofKernel({ code, complaint }: Scene): Hint {
  const call = KERNEL.exec(code)?.[0] ?? 'a system call';
  return hint(
    'kernel',
    null,
    `it asked the kernel for what no ordinary program needs (${told(complaint.line.trim())}): the guarantee kernel refuses it; no option allows it`,
    { call },
  );
}

const LIBRARY = /libraries: ([^:\s]+)|([^\s:'"]+\.so[.\d]*): cannot open/;

function ofComplaint(scene: Scene): Hint | null {
  const { complaint, code, limits } = scene;
  const { kind, path, line } = complaint;
  switch (kind) {
    case 'temporary':
    case 'EFBIG':
      return ofWriting(scene, kind === 'EFBIG' ? path : null);
    case 'ENOSPC':
      return KERNEL.test(code) || /epoll/.test(code) ? ofKernel(scene) : ofSpace(scene, path);
    case 'EMFILE':
      return ofLimit('openFiles', 'it has as many files open as it may', limits, {
        call: 'open',
        path,
        size: limits.openFiles,
      });
    case 'threads':
      return ofTasks(scene, 'start a thread');
    case 'EAGAIN':
      return ofTasks(scene, 'start a process or thread');
    case 'names':
      return ofNetwork(scene, 'look up a host');
    case 'network':
      return ofNetwork(scene, 'reach the network');
    case 'ENOBUFS':
      return ofKernel(scene);
    case 'ENOMEM':
      return ofLimit('memory', 'it asked for more memory than it may have', limits, {
        call: 'allocate',
      });
    case 'library': {
      const [, first, second] = LIBRARY.exec(line) ?? [];
      const name = first ?? second ?? 'a library';
      return hint(
        'files',
        'readPaths',
        `it lacks the library ${told(name)}: where the host has it, the option readPaths of the command shows its directory; where not, install it`,
        { call: 'load', path: name },
      );
    }
    case 'command':
      return ofExec(scene);
    case 'interpreter':
      return hint(
        'files',
        'readPaths',
        `the interpreter that ${path === null ? 'a script' : told(path)} names in its first line is not in its jail: the option readPaths of the command shows more of the host`,
        { call: 'exec', path },
      );
    case 'format':
      return hint(
        null,
        null,
        `${path === null ? 'a program' : told(path)} is no program for this machine (${process.arch}): build it for that, or begin a script with #!`,
        { call: 'exec', path },
      );
    case 'module':
      return hint(
        'files',
        'pythonPath',
        `it lacks a module, ${told(line.trim())}: install it into the command's environment (codejail env install), or name its directory in pythonPath or files`,
        { call: 'import', path },
      );
    case 'ENOSYS':
    case 'EOPNOTSUPP':
      return ofKernel(scene);
    case 'EINVAL':
      // Of a user that its namespace does not have.
      return IDENTITY.test(code) ? ofRefused(scene) : null;
    default:
      return ofRefused(scene);
  }
}

// A crash says nothing; the stack's size does, where it was seen.
function ofCrash({ signal, limits, report }: Failed): Hint | null {
  if (signal !== 'SIGSEGV' && signal !== 'SIGBUS') {
    return null;
  }
  const stack = report?.peakStackBytes ?? 0;
  const isFull = limits.stack > 0 && stack >= limits.stack * 0.75;
  return hint(
    'stack',
    'limits.stack',
    isFull
      ? `its stack was seen with ${stack} bytes just before ${signal}, of the ${limits.stack} of the limit stack; the option limits.stack sets it`
      : `${signal}: it used memory that it does not have; where it recurses deeply or has large local arrays, its stack was too small (the limit stack is ${limits.stack} bytes; the option limits.stack sets it)`,
    { call: 'use the stack', size: isFull ? stack : null },
  );
}

// A file that is not there is looked for by many who need none.
function ofAttempt(failed: Failed, { call, what, error }: Attempt): Hint | null {
  const complaint = { kind: error, path: what, line: `${call} ${what}: ${error}` };
  const scene = { ...failed, complaint, python: null, code: call === 'mkdir' ? 'mkdir' : '' };
  if (call === 'socket' || call === 'connect') {
    return ofNetwork({ ...scene, complaint: { ...complaint, path: null } }, 'open a socket');
  }
  if (call === 'exec') {
    return ofExec(scene);
  }
  return error === 'ENOENT' || error === 'ENOTDIR' ? null : ofPath(scene, what);
}

const signature = ({ by, tried }: Hint): string => `${by ?? ''} ${tried.path ?? tried.call}`;

/**
 * What a program that failed was kept from, the likeliest first, at most four. By its own words, which nobody has to
 * believe: they tell, and decide nothing.
 */
export function hintsOf(failed: Failed): Hint[] {
  const hints: Hint[] = failed.exceeded === null ? [] : [ofExceeded(failed.exceeded)];
  const lines = lastLines(failed.stderr);
  const python = pythonEnd(lines);
  // An exception that was raised while another was handled is told of by itself; so is what it came of.
  const traceback = python === null ? [] : [...python.frames, `${python.type}: ${python.message}`];
  for (const line of [...lines].reverse()) {
    const complaint = /^\s/.test(line) && python !== null ? null : complaintOf(line);
    if (complaint !== null) {
      const code = python === null ? lines.join('\n') : [...traceback, line].join('\n');
      const found = ofComplaint({ ...failed, complaint, python, code });
      const isNew = found !== null && hints.every((other) => signature(other) !== signature(found));
      const isSame = found !== null && hints.some(({ by }) => by === found.by && by !== 'files');
      if (isNew && !isSame) {
        hints.push(found);
      }
    }
    if (hints.length >= MOST_HINTS) {
      break;
    }
  }
  for (const attempt of failed.attempts) {
    const found = hints.length >= MOST_HINTS ? null : ofAttempt(failed, attempt);
    if (found !== null && hints.every((other) => signature(other) !== signature(found))) {
      hints.push(found);
    }
  }
  const crash = hints.length === 0 ? ofCrash(failed) : null;
  return crash === null ? hints : [crash];
}
