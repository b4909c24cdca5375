// A project as a reader's, in which the snippets of a page run.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { consoleSteps, expectedOutput, missingLines, type Snippet } from './snippets';

export const ROOT = join(__dirname, '../..');

/** What came of one snippet: null where all is as the page says. */
export type Complaint = string | null;

// What a page names on the reader's host, and a test has in its project.
const PLACES = ['/opt/sandbox', '/opt/exams', '/opt/grader', '/srv/grader'];
const SHELL_SECONDS = 60;
const MODULES_SECONDS = 300;

/** A folder with the package in its node_modules, a home and commands of its own. */
export class ReadersProject {
  readonly folder: string;
  readonly #home: string;

  constructor() {
    // Not below /tmp, where a warm command's cells have their own.
    this.#home = mkdtempSync('/var/tmp/docs-');
    chmodSync(this.#home, 0o755);
    this.folder = join(this.#home, 'project');
    mkdirSync(join(this.folder, 'node_modules'), { recursive: true });
    symlinkSync(ROOT, join(this.folder, 'node_modules/codejail'));
    // What a reader installs beside it, by observability.md.
    for (const name of ['prom-client', '@opentelemetry']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(this.folder, 'node_modules', name));
    }
    const tools = join(this.#home, 'bin');
    mkdirSync(tools);
    // What npx does where the package is installed; npx itself takes a second for it. test:install has it as it is.
    const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(join(ROOT, 'dist/cli/codejail.js'))}`;
    this.#tool(
      'codejail',
      `[ "$1" = run ] || exec ${command} "$@"\nshift\nexec ${command} run --realtime 60 --cpu 20 "$@"`,
    );
    this.#tool('npx', '[ "$1" = codejail ] || { echo "npx $1: not here" >&2; exit 1; }\nexec "$@"');
  }

  #tool(name: string, script: string): void {
    writeFileSync(join(this.#home, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  /**
   * The code as it runs here: with places of the reader's host in this folder, and ten times as long by the clock where it
   * allows whole seconds, since machines are slow and shared.
   */
  #here({ before, code, after }: Snippet): string {
    const text = [before, code, after]
      .filter((part) => part !== '')
      .join('\n')
      .replaceAll(/\brealtime: ([1-9]\d*)\b(?!\.)/g, 'realtime: 10 * $1');
    return PLACES.reduce((sum, place) => sum.replaceAll(place, this.#home + place), text);
  }

  write(path: string, text: string): string {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  #env(): NodeJS.ProcessEnv {
    const { PATH, LANG = 'C.UTF-8' } = process.env;
    return { PATH: `${join(this.#home, 'bin')}:${PATH}`, LANG, HOME: this.#home };
  }

  #file({ page, line }: Snippet): string {
    return `${page.replaceAll(/\W/g, '-')}-${line}.mjs`;
  }

  /** Runs modules in one process, in order; a default jail is theirs together. @returns a complaint for each */
  runModules(snippets: readonly Snippet[]): Complaint[] {
    const paths = snippets.map((snippet) => this.write(this.#file(snippet), this.#here(snippet)));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(__dirname, 'run-modules.mjs'), ...paths],
      { cwd: this.folder, env: this.#env(), encoding: 'utf8', timeout: MODULES_SECONDS * 1000 },
    );
    const reports = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Report);
    return snippets.map((snippet, index) => {
      const report = reports[index];
      if (report === undefined) return `did not end: ${stderr}`;
      if (report.error !== null) return `${report.error}\nprinted: ${report.printed}`;
      const missing = missingLines(expectedOutput(snippet.code), report.printed);
      return missing.length === 0
        ? null
        : `should have printed ${JSON.stringify(missing)}, and printed:\n${report.printed}`;
    });
  }

  /** Runs a module that is a program by itself, as a file of tests is. */
  runProgram(snippet: Snippet): Complaint {
    const path = this.write(this.#file(snippet), this.#here(snippet));
    const { status, output } = this.#shell(`exec ${JSON.stringify(process.execPath)} ${path}`);
    return status === 0 ? null : `ended with ${status}:\n${output}`;
  }

  #shell(
    script: string,
    options: readonly string[] = [],
  ): { status: number | null; output: string } {
    const { status, stdout } = spawnSync('bash', [...options, '-c', `exec 2>&1\n${script}`], {
      cwd: this.folder,
      env: this.#env(),
      encoding: 'utf8',
      timeout: SHELL_SECONDS * 1000,
    });
    return { status, output: stdout };
  }

  runShell(snippet: Snippet): Complaint {
    const { status, output } = this.#shell(this.#here(snippet), ['-e', '-o', 'pipefail']);
    return status === 0 ? null : `ended with ${status}:\n${output}`;
  }

  /** Runs the commands of a transcript, whose output is compared; a command may fail, as a reader's does. */
  runConsole(snippet: Snippet): Complaint {
    for (const { command, output } of consoleSteps(snippet.code)) {
      const here = this.#here({ ...snippet, code: command, after: '' });
      const printed = this.#shell(here).output;
      const missing = missingLines(output, printed);
      if (missing.length > 0) {
        return `${command} should have printed ${JSON.stringify(missing)}, and printed:\n${printed}`;
      }
    }
    return null;
  }

  remove(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}

interface Report {
  readonly path: string;
  readonly printed: string;
  readonly error: string | null;
}
