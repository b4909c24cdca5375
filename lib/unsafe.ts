// safeExec without any confinement, for debugging: a plain Python process with the caller's rights.
import { spawn } from 'node:child_process';
import { constants, cp, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { constants as host, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { collectFiles, type CollectedFile } from './collect';
import type { EndSignal } from './end-signal';
import type { HostFile } from './jail-files';
import { standardEnvironment, type JailFile } from './spec';
import { signalOf } from './outcome';
import type { JailResult } from './result';

export interface UnconfinedCall {
  program: string;
  argv: readonly string[];
  copies: readonly HostFile[];
  files: readonly JailFile[];
  request: string;
  /** What the command gives its program. */
  env: Readonly<Record<string, string>>;
  /** Files or globs, relative to `tmp`. */
  collect: readonly string[];
  signals: readonly EndSignal[];
}

async function fill(directory: string, call: UnconfinedCall): Promise<void> {
  await mkdir(join(directory, 'tmp'));
  for (const { path, name } of call.copies) {
    await cp(path, join(directory, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const { name, content } of call.files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

function gather(stream: Readable): Buffer[] {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined);
  return chunks;
}

function throwIfAborted(signals: readonly EndSignal[]): void {
  for (const signal of signals) {
    signal.throwIfAborted();
  }
}

async function collect(tmp: string, patterns: readonly string[]): Promise<CollectedFile[]> {
  if (patterns.length === 0) {
    return [];
  }
  const directory = await open(tmp, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return (await collectFiles(directory.fd, patterns, 0)) ?? [];
  } finally {
    await directory.close();
  }
}

/**
 * Runs the program in a temporary directory, with no limit and no confinement.
 * @throws the signal's reason where the call was aborted; what `spawn` throws
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
  const directory = await mkdtemp(join(tmpdir(), 'codejail-unsafe-'));
  try {
    await fill(directory, call);
    const startedAt = performance.now();
    for (const signal of call.signals) {
      signal.addEventListener('abort', onAbort, { once: true });
    }
    throwIfAborted(call.signals);
    const child = spawn(call.program, call.argv.slice(1), {
      argv0: call.argv[0],
      cwd: directory,
      env: { ...standardEnvironment(join(directory, 'tmp')), ...call.env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      signal: ending.signal,
      killSignal: 'SIGKILL',
    });
    const stdout = gather(child.stdout as Readable);
    const stderr = gather(child.stderr as Readable);
    const channel = gather(child.stdio[4] as Readable);
    const request = child.stdio[3] as Writable;
    request.on('error', () => undefined);
    request.end(call.request);
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve(signal === null ? (code ?? 0) : -host.signals[signal]);
      });
    });
    throwIfAborted(call.signals);
    return {
      channel: Buffer.concat(channel),
      result: {
        status,
        signal: signalOf(status),
        outcome: status < 0 ? 'signaled' : 'exited',
        exceeded: null,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
        usage: {
          wallMs: performance.now() - startedAt,
          setupMs: startedAt - calledAt,
          userMs: 0,
          systemMs: 0,
          maxRssBytes: 0,
        },
        collected: await collect(join(directory, 'tmp'), call.collect),
        confinement: [],
      },
    };
  } catch (error) {
    throwIfAborted(call.signals);
    throw error;
  } finally {
    for (const signal of call.signals) {
      signal.removeEventListener('abort', onAbort);
    }
    await rm(directory, { recursive: true, force: true });
  }
}
