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
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SetupError } from '../errors';
import { withLength } from '../json/text-buffers';
import { Callbacks, type TakeChunk } from '../run/callbacks';
import { collectError, collectFiles } from '../run/collect';
import { throwIfAborted } from '../run/end-signal';
import type { Input } from '../run/input';
import { signalOf } from '../run/outcome';
import { writePieces } from '../run/request-writer';
import type { JailResult } from '../run/result';
import type { Call } from '../spec/call';
import { LongContent } from '../spec/files';
import { standardEnvironment, type JailPlan } from '../spec/spec';

/** How a program is started without a jail. */
export type UnconfinedPlan = Pick<JailPlan, 'program' | 'words' | 'environment'>;

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

async function fill(directory: string, call: Call): Promise<void> {
  await mkdir(join(directory, 'tmp'));
  for (const { path, name } of call.copies) {
    await cp(path, join(directory, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const { name, content, mode } of call.files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content instanceof LongContent ? content.pieces : content);
    if (mode !== undefined) {
      await chmod(path, mode);
    }
  }
}

function gather(
  stream: Readable | undefined,
  onChunk: TakeChunk = () => undefined,
  sift: (chunk: Buffer) => Buffer = (chunk) => chunk,
): Buffer[] {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => {
    // A copy: a callback may write to its own.
    chunks.push(Buffer.from(sift(chunk)));
    onChunk(chunk);
  });
  stream?.on('error', () => undefined);
  return chunks;
}

/** Gives a program its standard input; how far it reads is its own affair. */
async function feed(stream: Writable, input: Input): Promise<void> {
  const source = typeof input === 'string' || input instanceof Uint8Array ? [input] : input;
  try {
    await pipeline(Readable.from(source, { objectMode: true }), stream);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') {
      throw error;
    }
  }
}

/** What a caller's own code has thrown while the program ran: the first of it. */
class CallerFailure {
  #thrown: { error: unknown } | undefined;
  readonly #onFailure: () => void;

  constructor(onFailure: () => void) {
    this.#onFailure = onFailure;
  }

  readonly note = (error: unknown): void => {
    this.#thrown ??= { error };
    this.#onFailure();
  };

  throwIfAny(): void {
    if (this.#thrown !== undefined) {
      throw this.#thrown.error;
    }
  }
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
  call: Call,
  { program, words, environment }: UnconfinedPlan,
  directory: string,
  signal: AbortSignal,
  failure: CallerFailure,
): Promise<Record<'stdout' | 'stderr' | 'channel', Buffer[]> & { status: number }> {
  const [argv0, ...argv] = [...words, ...call.argv];
  const child = spawn(program, argv, {
    argv0,
    cwd: join(directory, call.cwd),
    env: { ...standardEnvironment(join(directory, 'tmp')), ...environment(call.env) },
    stdio: [call.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const ended = statusOf(child);
  // Without descriptors there are no streams either, and the error comes a moment later.
  const stdio = (child as Partial<ChildProcess>).stdio ?? [];
  const chunksOf = (index: 1 | 2, onChunk?: TakeChunk): Buffer[] =>
    gather(stdio[index] as Readable | undefined, onChunk);
  const callbacks = new Callbacks(call, failure.note);
  const stdout = chunksOf(1, callbacks.onStdout);
  const stderr = chunksOf(2, callbacks.onStderr);
  const { conversation } = call;
  const channel = gather(
    stdio[4] as Readable | undefined,
    undefined,
    conversation === undefined ? undefined : (chunk) => conversation.take(chunk),
  );
  const input = stdio[0];
  if (input && call.stdin !== undefined) {
    feed(input, call.stdin).catch(failure.note);
  }
  const request = stdio[3] as Writable | undefined;
  request?.on('error', () => undefined);
  const { request: text = '' } = call;
  const pieces = typeof text === 'object' ? text : [text];
  for (const piece of conversation === undefined ? pieces : withLength(text)) {
    request?.write(piece);
  }
  if (conversation === undefined) {
    request?.end();
  } else if (request !== undefined) {
    conversation.begin((answer, onWritten) => {
      writePieces(request, answer, onWritten);
    });
  }
  let status;
  try {
    status = await ended;
  } finally {
    conversation?.end();
  }
  callbacks.end();
  return { status, stdout, stderr, channel };
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
    if (found === undefined) {
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
  call: Call,
  plan: UnconfinedPlan,
): Promise<{ result: JailResult; channel: Buffer }> {
  throwIfAborted(call.signals);
  // Not AbortSignal.any: its result would be held as long as the longest-lived of them.
  const ending = new AbortController();
  const onAbort = (): void => {
    ending.abort();
  };
  const failure = new CallerFailure(onAbort);
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
    for (const signal of call.signals ?? []) {
      signal.addEventListener('abort', onAbort, { once: true });
    }
    throwIfAborted(call.signals);
    const { status, stdout, stderr, channel } = await step('start the program', async () =>
      runProgram(call, plan, directory, ending.signal, failure),
    );
    throwIfAborted(call.signals);
    failure.throwIfAny();
    const result: JailResult = {
      status,
      signal: signalOf(status),
      outcome: status < 0 ? 'signaled' : 'exited',
      exceeded: null,
      ...{ hints: [], attempts: [] },
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr),
      usage: {
        wallMs: performance.now() - startedAt,
        queuedMs: call.queuedMs ?? 0,
        setupMs: startedAt - calledAt,
        userMs: 0,
        systemMs: 0,
        cpuMs: 0,
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
    failure.throwIfAny();
    throw error;
  } finally {
    for (const signal of call.signals ?? []) {
      signal.removeEventListener('abort', onAbort);
    }
    await spare?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 2 });
  }
}
