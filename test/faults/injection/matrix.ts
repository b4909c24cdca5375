// Runs a scenario under injector.cc until all of its plan has been injected, and makes a table of what came of it.
import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/**
 * Words before the injector, by which a server has processes, a /tmp and leases of its own: what others leave, or have,
 * is none of its leftovers. None where this user may not.
 */
const APART =
  process.getuid?.() === 0
    ? [
        ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c'],
        'mount -t tmpfs -o mode=1777 tmpfs /tmp && mkdir -p /run/codejail && ' +
          'mount -t tmpfs -o mode=0755 tmpfs /run/codejail && exec "$0" "$@"',
      ]
    : [];

/** How many servers may be made to fail at a time. */
export const LANES = APART.length > 0 ? 2 : 1;

/** The programs, compiled where `folder` is. */
export class Programs {
  // Not in /tmp, which each server has for itself.
  readonly folder = mkdtempSync(join(ROOT, 'build', 'faults-'));
  readonly injector = join(this.folder, 'injector');
  readonly witness = join(this.folder, 'witness');
  readonly interposer = join(this.folder, 'interposer.so');

  constructor() {
    chmodSync(this.folder, 0o755);
    const compile = (program: string, sources: readonly string[], ...words: string[]): void => {
      const paths = sources.map((name) => join(__dirname, `${name}.cc`));
      execFileSync('g++', ['-std=c++17', '-O1', ...words, '-o', program, ...paths]);
    };
    const native = `-I${join(ROOT, 'native')}`;
    compile(this.injector, ['injector', 'tracees', 'roles'], native);
    compile(this.witness, ['witness'], '-static');
    compile(this.interposer, ['interposer'], '-shared', '-fPIC');
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
  // Of this run alone: others may go on beside it.
  const own = mkdtempSync(join(programs.folder, `${scenario}-`));
  chmodSync(own, 0o755);
  const file = join(own, 'rows');
  const shared = join(own, 'shared');
  const matrix: Matrix = { scenario, planned: 0, rows: [] };
  for (;;) {
    // For the server, whoever it is.
    for (const [path, content] of [
      [file, ''],
      [shared, Buffer.alloc(4096)],
    ] as const) {
      writeFileSync(path, content);
      chmodSync(path, 0o666);
    }
    const [command = '', ...words] = [...APART, programs.injector, ...as];
    const server = spawn(
      command,
      [
        ...words,
        process.execPath,
        ...['-r', LOADER, join(__dirname, 'server.ts'), scenario, programs.witness, file],
        isThorough ? 'thorough' : 'sample',
        String(every),
        String(matrix.rows.length),
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        cwd: ROOT,
        env: { ...process.env, LD_PRELOAD: programs.interposer, FAULTS_SHARED: shared },
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

const LONGEST_OUTCOME = 160;

/** Its beginning: an error may have a traceback. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_OUTCOME);
}

/** One line for each process, call and errno: what came of each occurrence that failed. */
export function tableOf({ scenario, rows }: Matrix): string {
  const lines = new Map<string, { words: string[]; occurrences: string[] }>();
  for (const { role, name, occurrence, of, errnoName, outcome, bad, fired } of rows) {
    if (!fired) {
      continue;
    }
    const said = oneLine(
      bad === '' ? outcome : `BAD: ${outcome === '' ? '' : `${outcome}: `}${bad}`,
    );
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
