// Compiles and links the native half by one compiler, as many files at once as there are processors.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Target, TargetKind } from './plan';

/** A compiler of C++ for one kind of machine. */
export interface Compiler {
  /** The words that start it: `['g++']`. */
  readonly command: readonly string[];
  /** More words for each file, and for linking each kind. */
  readonly compile: readonly string[];
  readonly link: Readonly<Record<TargetKind, readonly string[]>>;
}

/** The compiler failed: its own words. */
export class CompilerError extends Error {}

async function runCompiler(words: readonly string[], directory: string): Promise<void> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new CompilerError(`${program} can't be started: ${error.message}`));
    });
    child.once('close', (status, signal) => {
      if (status === 0) {
        resolve();
      } else {
        const how = signal === null ? `status ${String(status)}` : signal;
        reject(new CompilerError(`${output.trimEnd()}\n${words.join(' ')}: ${how}`));
      }
    });
  });
}

/** Each of `list`, some at a time; the first failure ends it. */
async function eachOf<T>(list: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...list];
  const next = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
}

function objectOf(source: string, target: Target, objects: string): string {
  return join(objects, target.file, `${source.replaceAll('/', '_')}.o`);
}

// A umask of 002 would let others of a group write what makes jails, which is refused at run time.
const PROGRAM_MODE = 0o755;
const LIBRARY_MODE = 0o644;

/** What is to be built, from where to where. */
export interface Build {
  readonly targets: readonly Target[];
  /** What the targets' paths start from. */
  readonly directory: string;
  /** Where the binaries go. */
  readonly out: string;
  /** Where the object files go. */
  readonly objects: string;
  /** Told how far it is, after each file. */
  readonly onProgress?: (done: number, of: number) => void;
}

/**
 * Builds targets.
 * @throws CompilerError
 */
export async function compile(compiler: Compiler, build: Build): Promise<void> {
  const { targets, directory, out, objects } = build;
  const files = targets.flatMap((target) => target.sources.map((source) => ({ target, source })));
  const of = files.length + targets.length;
  let done = 0;
  const advance = (): void => {
    done += 1;
    build.onProgress?.(done, of);
  };
  for (const { target, source } of files) {
    mkdirSync(dirname(objectOf(source, target, objects)), { recursive: true });
  }
  mkdirSync(out, { recursive: true });
  await eachOf(files, async ({ target, source }) => {
    const words = [
      ...[...compiler.command, ...compiler.compile, ...target.compile],
      ...target.includes.map((include) => `-I${include}`),
      ...target.defines.map((define) => `-D${define}`),
      ...['-c', source, '-o', objectOf(source, target, objects)],
    ];
    await runCompiler(words, directory);
    advance();
  });
  // One after another: each takes the memory of a linker.
  for (const target of targets) {
    const path = join(out, basename(target.file));
    const words = [
      ...[...compiler.command, ...compiler.compile],
      ...target.sources.map((source) => objectOf(source, target, objects)),
      ...[...target.link, ...compiler.link[target.kind], '-o', path],
    ];
    await runCompiler(words, directory);
    chmodSync(path, target.kind === 'program' ? PROGRAM_MODE : LIBRARY_MODE);
    advance();
  }
}
