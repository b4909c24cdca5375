// Why a program that failed may have failed: each guarantee and limit that it seems to have met, and what would allow it.
import type { Attempt } from './attempt';
import { complaintOf } from './complaints';
import { ofExec, ofKernel, ofNetwork, ofPath, ofRefused } from './guarantee-hints';
import { newHint, told, type Hint } from './hint';
import { lastLines, pythonEnd } from './last-words';
import { ofCrash, ofExceeded, ofLimit, ofSpace, ofTasks, ofWriting } from './limit-hints';
import { IDENTITY, KERNEL, type Failed, type Scene } from './scene';

const MOST_HINTS = 4;

const LIBRARY = /libraries: ([^:\s]+)|([^\s:'"]+\.so[.\d]*): cannot open/;

function ofComplaint(scene: Scene): Hint | undefined {
  const { complaint, code, limits } = scene;
  const { kind, path, line } = complaint;
  switch (kind) {
    case 'temporary':
    case 'EFBIG':
      return ofWriting(scene, kind === 'EFBIG' ? path : undefined);
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
      return newHint(
        'files',
        'readPaths',
        `it lacks the library ${told(name)}: where the host has it, the option readPaths of the command shows its directory; where not, install it`,
        { call: 'load', path: name },
      );
    }
    case 'command':
      return ofExec(scene);
    case 'interpreter':
      return newHint(
        'files',
        'readPaths',
        `the interpreter that ${path === undefined ? 'a script' : told(path)} names in its first line is not in its jail: the option readPaths of the command shows more of the host`,
        { call: 'exec', path },
      );
    case 'format':
      return newHint(
        undefined,
        undefined,
        `${path === undefined ? 'a program' : told(path)} is no program for this machine (${process.arch}): build it for that, or begin a script with #!`,
        { call: 'exec', path },
      );
    case 'module':
      return newHint(
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
      return IDENTITY.test(code) ? ofRefused(scene) : undefined;
    default:
      return ofRefused(scene);
  }
}

// A file that is not there is looked for by many who need none.
function ofAttempt(failed: Failed, { call, what, error }: Attempt): Hint | undefined {
  const complaint = { kind: error, path: what, line: `${call} ${what}: ${error}` };
  const scene = { ...failed, complaint, code: call === 'mkdir' ? 'mkdir' : '' };
  if (call === 'socket' || call === 'connect') {
    return ofNetwork({ ...scene, complaint: { ...complaint, path: undefined } }, 'open a socket');
  }
  if (call === 'exec') {
    return ofExec(scene);
  }
  return error === 'ENOENT' || error === 'ENOTDIR' ? undefined : ofPath(scene, what);
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
  const traceback =
    python === undefined ? [] : [...python.frames, `${python.type}: ${python.message}`];
  for (const line of [...lines].reverse()) {
    const complaint = /^\s/.test(line) && python !== undefined ? undefined : complaintOf(line);
    if (complaint !== undefined) {
      const code = python === undefined ? lines.join('\n') : [...traceback, line].join('\n');
      const found = ofComplaint({ ...failed, complaint, code });
      const isNew =
        found !== undefined && hints.every((other) => signature(other) !== signature(found));
      const isSame =
        found !== undefined && hints.some(({ by }) => by === found.by && by !== 'files');
      if (isNew && !isSame) {
        hints.push(found);
      }
    }
    if (hints.length >= MOST_HINTS) {
      break;
    }
  }
  for (const attempt of failed.attempts) {
    const found = hints.length >= MOST_HINTS ? undefined : ofAttempt(failed, attempt);
    if (found !== undefined && hints.every((other) => signature(other) !== signature(found))) {
      hints.push(found);
    }
  }
  const crash = hints.length === 0 ? ofCrash(failed) : undefined;
  return crash === undefined ? hints : [crash];
}
