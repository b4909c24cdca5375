// safeExec without any confinement, for debugging: a plain Python process with the caller's rights.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmod,
  constants,
  cp,
  mkdir,
  mkdtemp,
  open,
  rm,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { constants as host, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { SetupError } from '../errors';
import type { JsonText } from '../json/text-buffers';
import { collectError, collectFiles } from '../run/collect';
import type { EndSignal } from '../run/end-signal';
import { signalOf } from '../run/outcome';
import type { JailResult } from '../run/result';
import type { HostFile, JailFile, StartDirectory } from '../spec/files';
import { standardEnvironment } from '../spec/spec';

export interface UnconfinedCall {
  program: string;
  argv: readonly string[];
  copies: readonly HostFile[];
  files: readonly JailFile[];
  cwd: StartDirectory;
  request: JsonText;
  /** What the command gives its program. */
  env: Readonly<Record<string, string>>;
  /** Files or globs, relative to `tmp`. */
  collect: readonly string[];
  /** How long the call waited for its turn, in milliseconds. */
  queuedMs: number;
  signals: readonly EndSignal[];
}

/** Does what has to be done before the program runs, and fails as a step of making a jail does. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { errno = 0, syscall, path, message } = cause as NodeJS.ErrnoException;
    throw new SetupError(name, Math.abs(errno), {
      syscall: syscall?.split(' ')[0],
      detail: errno === 0 ? message : path,
      cause,
    });
  }
}

const MAKE_DIRECTORY = 'make the directory';

async function fill(directory: string, call: UnconfinedCall): Promise<void> {
  await mkdir(join(directory, 'tmp'));
  for (const { path, name } of call.copies) {
    await cp(path, join(directory, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const { name, content, mode } of call.files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    if (typeof mode === 'number') {
      await chmod(path, mode);
    }
  }
}

function gather(stream: Readable | undefined): Buffer[] {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream?.on('error', () => undefined);
  return chunks;
}

async function statusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(signal === null ? (code ?? 0) : -host.signals[signal]);
    });
  });
}

/** Runs the program to its end. */
async function runProgram(
  call: UnconfinedCall,
  directory: string,
  signal: AbortSignal,
): Promise<Record<'stdout' | 'stderr' | 'channel', Buffer[]> & { status: number }> {
  const child = spawn(call.program, call.argv.slice(1), {
    argv0: call.argv[0],
    cwd: join(directory, call.cwd),
    env: { ...standardEnvironment(join(directory, 'tmp')), ...call.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const ended = statusOf(child);
  // Without descriptors there are no streams either, and the error comes a moment later.
  const stdio = (child as Partial<ChildProcess>).stdio ?? [];
  const chunksOf = (index: 1 | 2 | 4): Buffer[] => gather(stdio[index] as Readable | undefined);
  const [stdout, stderr, channel] = [chunksOf(1), chunksOf(2), chunksOf(4)];
  const request = stdio[3] as Writable | undefined;
  request?.on('error', () => undefined);
  for (const piece of typeof call.request === 'string' ? [call.request] : call.request) {
    request?.write(piece);
  }
  request?.end();
  return { status: await ended, stdout, stderr, channel };
}

function throwIfAborted(signals: readonly EndSignal[]): void {
  for (const signal of signals) {
    signal.throwIfAborted();
  }
}

/** Adds to a result what was collected. */
async function collectInto(
  result: JailResult,
  tmp: string,
  patterns: readonly string[],
): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(tmp, constants.O_RDONLY | constants.O_DIRECTORY);
    const found = await collectFiles(directory.fd, patterns, 0);
    if (found === null) {
      throw new Error('a file is larger than 2 GiB, which is more than a Buffer takes');
    }
    Object.assign(result, found);
  } catch (cause) {
    throw collectError(cause, result);
  } finally {
    await directory?.close();
  }
}

/**
 * Runs the program in a temporary directory, with no limit and no confinement.
 * @throws the signal's reason where the call was aborted; SetupError where the program could not be started
 */
export async function runUnconfined(
  call: UnconfinedCall,
): Promise<{ result: JailResult; channel: Buffer }> {
  throwIfAborted(call.signals);
  // Not AbortSignal.any: its result would be held as long as the longest-lived of them.
  const ending = new AbortController();
  const onAbort = (): void => {
    ending.abort();
  };
  const calledAt = performance.now();
  const directory = await step(MAKE_DIRECTORY, async () =>
    mkdtemp(join(tmpdir(), 'codejail-unsafe-')),
  );
  let spare: FileHandle | undefined;
  try {
    // Descriptors may run out, and to remove the directory takes one.
    spare = await step(MAKE_DIRECTORY, async () => open(directory));
    await step(MAKE_DIRECTORY, async () => fill(directory, call));
    const startedAt = performance.now();
    for (const signal of call.signals) {
      signal.addEventListener('abort', onAbort, { once: true });
    }
    throwIfAborted(call.signals);
    const { status, stdout, stderr, channel } = await step('start the program', async () =>
      runProgram(call, directory, ending.signal),
    );
    throwIfAborted(call.signals);
    const result: JailResult = {
      status,
      signal: signalOf(status),
      outcome: status < 0 ? 'signaled' : 'exited',
      exceeded: null,
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr),
      usage: {
        wallMs: performance.now() - startedAt,
        queuedMs: call.queuedMs,
        setupMs: startedAt - calledAt,
        userMs: 0,
        systemMs: 0,
        maxRssBytes: 0,
      },
      ...{ collected: [], uncollected: [], confinement: [] },
    };
    if (call.collect.length > 0) {
      await collectInto(result, join(directory, 'tmp'), call.collect);
    }
    return { channel: Buffer.concat(channel), result };
  } catch (error) {
    throwIfAborted(call.signals);
    throw error;
  } finally {
    for (const signal of call.signals) {
      signal.removeEventListener('abort', onAbort);
    }
    await spare?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 2 });
  }
}
