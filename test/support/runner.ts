// Programs in the runner of safeExec, by a Python that is not confined.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { encodeRequest } from '../../lib/exec/request';
import { parseJson } from '../../lib/json/parse';
import { runnerSource } from '../../lib/python/source';

/** What a program came to. */
export interface Run {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** The whole of what came on the result channel. */
  reply: string;
  /** The names of what JSON can't carry. */
  omitted: string[];
}

export interface RunOptions {
  globalsText?: string;
  pythonPath?: string[];
}

export interface ReportedException {
  type: string;
  module?: string;
  message: string;
  line: number | null;
  traceback: string;
}

let directory: string;

/** Makes a directory for each test's runs, as a jail has one. */
export function useDirectory(): void {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'codejail-runner-'));
    await mkdir(join(directory, 'tmp'));
    await writeFile(join(directory, 'jailed_code'), runnerSource());
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });
}

/** Where a run's program is. */
export function pathOf(name: string): string {
  return join(directory, name);
}

/** Runs a program. */
export async function run(
  code: string,
  { globalsText = '{}', pythonPath = [] }: RunOptions = {},
): Promise<Run> {
  const child = spawn('python3', ['-E', '-B', 'jailed_code'], {
    cwd: directory,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const request = child.stdio[3] as Writable;
  request.end(encodeRequest(JSON.stringify(code), globalsText, pythonPath) as string);
  const [[status, signal], stdout, stderr, reply] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    buffer(child.stdio[4] as Readable),
  ]);
  const [list = '', rest] = /^O(.*)\n([^]*)$/.exec(reply.toString())?.slice(1) ?? [];
  const omitted = list === '' ? [] : (JSON.parse(list) as { name: string }[]);
  return {
    ...{ status, signal, stdout, stderr, reply: rest ?? reply.toString() },
    omitted: omitted.map(({ name }) => name),
  };
}

/** The globals of a program that works. */
export async function globalsOf(code: string, options?: RunOptions): Promise<unknown> {
  const result = await run(code, options);
  expect(result).toMatchObject({ status: 0, stderr: '' });
  expect(result.reply[0]).toBe('G');
  return parseJson(result.reply.slice(1));
}

/** What is told of what a program raised. */
export function exceptionOf(result: Run): ReportedException {
  expect(result.reply[0]).toBe('E');
  return parseJson(result.reply.slice(1)) as unknown as ReportedException;
}
