// Hints at guarantees: which a program that failed was kept from something by, and what allows it.
import { newHint, told, type Hint } from './hint';
import { ofWriting } from './limit-hints';
import {
  EXEC,
  IDENTITY,
  isSharedMemory,
  KERNEL,
  PROCESS,
  SOCKET,
  WRITES,
  type Failed,
  type Scene,
} from './scene';

/** Of a program that was not executed. */
export function ofExec({ complaint, mayExec, code }: Scene): Hint {
  const { path } = complaint;
  const what = `it tried to run ${path === undefined ? 'another program' : told(path)}`;
  return mayExec
    ? newHint(
        'files',
        'readPaths',
        `${what}, which its jail does not show or may not run: the option readPaths of the command shows more of the host`,
        { call: 'exec', path },
      )
    : newHint(
        'processes',
        'allowExec',
        `${what}: the guarantee processes allows that to a command with the option allowExec alone, of what readPaths shows`,
        { call: /fork/.test(code) ? 'fork and exec' : 'exec', path },
      );
}

const NETWORK_REASON =
  'the guarantee network leaves a program no network and none but Unix sockets in its own tmp; no option allows it: pass data in by files, stdin or globals';

/** Of the network. */
export function ofNetwork({ complaint }: Scene, call: string): Hint {
  return newHint('network', undefined, `it tried to ${call}: ${NETWORK_REASON}`, {
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

/** Of a file or directory. */
export function ofPath(scene: Scene, path: string): Hint | undefined {
  const { complaint, code, limits } = scene;
  const isAbsent = complaint.kind === 'ENOENT';
  const shown = told(path);
  if (path.startsWith('/dev/shm') || isSharedMemory(path, code)) {
    return newHint(
      'files',
      undefined,
      isAbsent
        ? `it looked for shared memory, ${shown}, that is not there: each jail has its own, in which nothing is when it begins; no option shares it`
        : `it tried to use shared memory, ${shown}, in a way that is denied: it can make, open and remove there what it knows the name of, and can list nothing; no option allows more`,
      { call: 'shm_open', path },
    );
  }
  if (path.startsWith('/proc') || path.startsWith('/sys')) {
    return newHint(
      'metadata',
      undefined,
      `it tried to open ${shown}: the guarantee metadata hides what tells of the host and of other processes; no option shows it`,
      { call: 'open', path },
    );
  }
  if (isInside(path, scene)) {
    if (isAbsent) {
      return newHint(
        'files',
        'extraFiles',
        `there is no ${shown} in its directory: the options files and extraFiles put files there`,
        { call: 'open', path },
      );
    }
    if (isTmp(path, scene)) {
      return limits.fsize === 0 ? ofWriting(scene, path) : undefined;
    }
    return newHint(
      'files',
      'cwd',
      `it tried to change ${shown}: all of its directory but ./tmp is read-only; it may write below ./tmp, which is also its TMPDIR, and starts there with the option cwd: 'tmp'`,
      { call: 'write', path },
    );
  }
  if (!isAbsent && WRITES.test(code)) {
    return newHint(
      'files',
      undefined,
      `it tried to write ${shown}: the guarantee files lets it write below ./tmp alone; no option allows more`,
      { call: 'write', path },
    );
  }
  return newHint(
    'files',
    'readPaths',
    `it tried to open ${shown}, which is outside of its jail: the option readPaths of the command shows more of the host, files and extraFiles of the call put a copy into its directory`,
    { call: 'open', path },
  );
}

const PASSES_DESCRIPTORS = /sendmsg|send_fds|sendfds|forkserver|SCM_RIGHTS/;

/** Of a call that was refused, by what the code was about. */
export function ofRefused(scene: Scene): Hint | undefined {
  const { complaint, code } = scene;
  const { path, kind } = complaint;
  if (path?.includes('/') !== true && PASSES_DESCRIPTORS.test(code)) {
    return newHint(
      'kernel',
      undefined,
      "it tried to pass descriptors to another process: the guarantee kernel refuses it, and no option allows it; multiprocessing needs none with the start methods 'fork', and 'spawn' under the option allowExec",
      { call: 'sendmsg' },
    );
  }
  if (path?.startsWith('/') !== true && IDENTITY.test(code)) {
    return newHint(
      'identity',
      undefined,
      'it tried to change its identity, an owner or what only root may: the guarantee identity leaves it no privilege; no option gives any',
      { call: IDENTITY.exec(code)?.[0] ?? 'setuid' },
    );
  }
  if (path?.startsWith('/') !== true && PROCESS.test(code)) {
    return newHint(
      'processes',
      undefined,
      'it tried to reach a process that is not its own: the guarantee processes lets it reach those of its jail alone; no option allows it',
      { call: PROCESS.exec(code)?.[0] ?? 'kill' },
    );
  }
  const isBinary = path !== undefined && /^\/(?:usr\/)?(?:local\/)?s?bin\//.test(path);
  if ((EXEC.test(code) || isBinary) && !/open\(/.test(complaint.line)) {
    return ofExec(scene);
  }
  if (path?.includes('/') !== true && SOCKET.test(code) && !KERNEL.test(code)) {
    return ofNetwork(scene, 'open a socket');
  }
  if (path !== undefined && (path.includes('/') || kind !== 'EPERM')) {
    return ofPath(scene, path);
  }
  return ofKernel(scene);
}

/** Of a call that the kernel refused. */
export function ofKernel({ code, complaint }: Scene): Hint {
  const call = KERNEL.exec(code)?.[0] ?? 'a system call';
  return newHint(
    'kernel',
    undefined,
    `it asked the kernel for what no ordinary program needs (${told(complaint.line.trim())}): the guarantee kernel refuses it; no option allows it`,
    { call },
  );
}
