// Hints at limits: which a program that failed has met, and what sets it.
import { LIMIT_DEFINITIONS, memoryWall, type LimitName, type Limits } from '../limits';
import { explainExceeded } from './exceeded';
import { newHint, type Hint, type Tried } from './hint';
import type { Exceeded } from './result';
import { SHARED_MEMORY, type Failed, type Scene } from './scene';

/** A value in its limit's unit; seconds to the millisecond. */
function inUnit(limit: LimitName, value: number): string {
  const { unit } = LIMIT_DEFINITIONS[limit];
  return unit === 'seconds'
    ? `${Math.round(value * 1000) / 1000} s`
    : `${value}${unit === 'bytes' ? ' bytes' : ''}`;
}

/** Of a limit that was met, and by what. */
export function ofLimit(limit: LimitName, what: string, limits: Limits, tried: Tried): Hint {
  const allowed = inUnit(limit, limits[limit] ?? 0);
  return newHint(
    limit,
    `limits.${limit}`,
    `${what}: the limit ${limit} is ${allowed}; the option limits.${limit} sets it`,
    tried,
  );
}

/** Of the limit that ended the program. */
export function ofExceeded(exceeded: Exceeded): Hint {
  const { limit, measured } = exceeded;
  return newHint(
    limit,
    `limits.${limit}`,
    `${explainExceeded(exceeded)}${measured === null ? '' : `, ${inUnit(limit, measured)}`}; the option limits.${limit} sets it`,
    { call: limit, size: measured ?? undefined },
  );
}

/** Of a write that failed. */
export function ofWriting({ limits, report }: Failed, path: string | undefined): Hint {
  if (limits.fsize === 0) {
    return ofLimit('fsize', 'it tried to write a file, and may write nothing', limits, {
      call: 'write',
      path,
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

/** Of a file system without room. */
export function ofSpace(failed: Scene, path: string | undefined): Hint {
  const { limits, report, code } = failed;
  const isShared = path?.startsWith('/dev/shm') === true || SHARED_MEMORY.test(code);
  return lacksFiles(failed)
    ? ofLimit('files', 'it has made as many files as it may', limits, {
        call: 'create',
        path,
        size: report?.diskFiles,
      })
    : ofLimit(
        'disk',
        isShared
          ? 'its shared memory has no room left, which counts with tmp'
          : 'its tmp has no room left',
        limits,
        { call: 'write', path, size: report?.diskBytes },
      );
}

/** Of a thread or process that could not be started. The stacks of threads are memory that is asked for before it is used. */
export function ofTasks({ limits, report }: Failed, call: string): Hint {
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

/** Of a mapping without a page behind it. */
function ofBusError({ limits, report }: Failed): Hint {
  return report?.diskFull === true
    ? ofLimit('disk', 'it used a mapped file for which its tmp has no room left', limits, {
        call: 'use a mapped file',
        size: report.diskBytes,
      })
    : newHint(undefined, undefined, 'SIGBUS: it used a mapped file beyond that file’s end', {
        call: 'use a mapped file',
      });
}

/** Of a crash, which says nothing; the stack's size does, where it was seen. */
export function ofCrash(failed: Failed): Hint | undefined {
  const { signal, limits, report } = failed;
  if (signal === 'SIGBUS') {
    return ofBusError(failed);
  }
  if (signal !== 'SIGSEGV') {
    return undefined;
  }
  // A stack has no more than all that the program may have (RLIMIT_STACK).
  const limit =
    limits.memory > 0 && (limits.stack === 0 || limits.stack >= limits.memory) ? 'memory' : 'stack';
  const most = limits[limit];
  const stack = report?.peakStackBytes ?? 0;
  const isFull = most > 0 && stack >= most * 0.75;
  const cure =
    most === 0
      ? 'no limit'
      : `${most} bytes (the limit ${limit}; the option limits.${limit} sets it)`;
  return newHint(
    limit,
    `limits.${limit}`,
    isFull
      ? `its stack was seen with ${stack} bytes just before SIGSEGV, of ${cure}`
      : `SIGSEGV: it used memory that it does not have; where it recurses deeply or has large local arrays, its stack was too small: it has ${cure}`,
    { call: 'use the stack', size: isFull ? stack : undefined },
  );
}
