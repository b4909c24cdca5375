// Runs a scenario under injector.cc until all of its plan has been injected, and makes a table of what came of it.
import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from './plan';

const ROOT = join(__dirname, '..', '..', '..');
const LOADER = join(ROOT, 'test', 'support', 'load-typescript.js');

/** A fault, and what came of it. */
export interface Row extends Case {
  /** Whether the system call was made, and so failed. */
  fired: boolean;
  /** `right`, or how the call rejected. */
  outcome: string;
  /** What is wrong with that; empty where nothing is. */
  bad: string;
}

interface Note {
  planned?: number;
  failed?: string;
  stack?: string;
}

export interface Matrix {
  scenario: string;
  planned: number;
  rows: Row[];
}

export interface MatrixOptions {
  /** Of scenarios.ts. */
  scenario: string;
  /** Every occurrence and errno. */
  isThorough?: boolean;
  /** Of the plan each so-manyth fault only; 1 by default. */
  every?: number;
  /** Words before the server's command, which run it as somebody else. */
  as?: readonly string[];
}

/** The programs, compiled where `folder` is. */
export class Programs {
  readonly folder = mkdtempSync(join(tmpdir(), 'faults-'));
  readonly injector = join(this.folder, 'injector');
  readonly witness = join(this.folder, 'witness');

  readonly interposer = join(this.folder, 'interposer.so');
  readonly shared = join(this.folder, 'shared');

  constructor() {
    chmodSync(this.folder, 0o755);
    const compile = (name: string, ...words: string[]): void => {
      const source = join(__dirname, `${name.replace('.so', '')}.cc`);
      execFileSync('g++', ['-std=c++17', '-O1', ...words, '-o', join(this.folder, name), source]);
    };
    compile('injector', `-I${join(ROOT, 'native', 'core')}`);
    compile('witness', '-static');
    compile('interposer.so', '-shared', '-fPIC');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Injects the whole plan of a scenario; a server that is lost by it is a row too, and the next one goes on. */
export async function runMatrix(
  programs: Programs,
  { scenario, isThorough = false, every = 1, as = [] }: MatrixOptions,
): Promise<Matrix> {
  const file = join(programs.folder, `${scenario}.rows`);
  const matrix: Matrix = { scenario, planned: 0, rows: [] };
  for (;;) {
    // For the server, whoever it is.
    for (const [path, content] of [
      [file, ''],
      [programs.shared, Buffer.alloc(4096)],
    ] as const) {
      writeFileSync(path, content);
      chmodSync(path, 0o666);
    }
    const server = spawn(
      programs.injector,
      [
        ...as,
        process.execPath,
        ...['-r', LOADER, join(__dirname, 'server.ts'), scenario, programs.witness, file],
        isThorough ? 'thorough' : 'sample',
        String(every),
        String(matrix.rows.length),
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        cwd: ROOT,
        env: { ...process.env, LD_PRELOAD: programs.interposer, FAULTS_SHARED: programs.shared },
      },
    );
    const [status, signal] = (await once(server, 'exit')) as [number | null, string | null];
    const notes = readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Note | Row | Case);
    const failed = notes.find((note): note is Note => 'failed' in note);
    if (failed !== undefined) {
      throw new Error(`${scenario}: ${failed.stack ?? ''}`);
    }
    matrix.planned = notes.reduce(
      (most, note) => ('planned' in note ? (note.planned ?? 0) : most),
      0,
    );
    const rows = notes.filter((note): note is Row => 'bad' in note);
    matrix.rows.push(...rows);
    const begun = notes
      .filter((note): note is Case => 'occurrence' in note && !('bad' in note))
      .at(-1);
    if (status === 0 || matrix.rows.length >= matrix.planned) {
      return matrix;
    }
    if (status !== 3) {
      if (begun === undefined || matrix.planned === 0) {
        throw new Error(
          `${scenario}: the server ended by ${signal ?? String(status)} before its first fault`,
        );
      }
      matrix.rows.push({
        ...begun,
        fired: true,
        outcome: '',
        bad: `the server ended by ${signal ?? String(status)}`,
      });
    }
  }
}

const pad = (words: readonly string[], widths: readonly number[]): string =>
  words
    .map((word, index) => word.padEnd(widths[index] ?? 0))
    .join('  ')
    .trimEnd();

/** One line for each process, call and errno: what came of each occurrence that failed. */
export function tableOf({ scenario, rows }: Matrix): string {
  const lines = new Map<string, { words: string[]; occurrences: string[] }>();
  for (const { role, name, occurrence, of, errnoName, outcome, bad, fired } of rows) {
    if (!fired) {
      continue;
    }
    const said = bad === '' ? outcome : `BAD: ${outcome === '' ? '' : `${outcome}: `}${bad}`;
    const key = [role, name, errnoName, said].join('\0');
    const line = lines.get(key) ?? { words: [role, name, errnoName, said], occurrences: [] };
    line.occurrences.push(`${occurrence}/${of}`);
    lines.set(key, line);
  }
  const table = [...lines.values()].map(
    ({ words: [role = '', name = '', error = '', said = ''], occurrences }) => [
      role,
      name,
      occurrences.length > 4
        ? `${occurrences[0] ?? ''} … ${occurrences.at(-1) ?? ''} (${occurrences.length})`
        : occurrences.join(' '),
      error,
      said,
    ],
  );
  const head = ['process', 'system call', 'occurrence', 'errno', 'outcome'];
  const widths = head.map((_, column) =>
    Math.max(...[head, ...table].map((words) => words[column]?.length ?? 0)),
  );
  return [`${scenario}:`, pad(head, widths), ...table.map((words) => pad(words, widths))].join(
    '\n',
  );
}

export interface Summary {
  fired: number;
  right: number;
  rejected: number;
  notReached: number;
  bad: Row[];
}

export function summaryOf(matrices: readonly Matrix[]): Summary {
  const rows = matrices.flatMap((matrix) => matrix.rows);
  const fired = rows.filter((row) => row.fired);
  const bad = rows.filter((row) => row.bad !== '');
  return {
    fired: fired.length,
    right: fired.filter((row) => row.bad === '' && row.outcome.startsWith('right')).length,
    rejected: fired.filter((row) => row.bad === '' && !row.outcome.startsWith('right')).length,
    notReached: rows.length - fired.length,
    bad,
  };
}
