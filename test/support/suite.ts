// What the suites of jails have in common: a jail and a folder of the host, new for each test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createJail, type Jail, type JailCodeOptions, type JailResult } from '../../lib/index';

/** The tests of this suite do not test the time: machines are slow, and shared. */
export const UNHURRIED = { realtime: 25, cpu: 15 };

/** One test's jail and its folder on the host. */
export class Suite {
  #jail: Jail | undefined;
  #folder = '';

  get jail(): Jail {
    return (this.#jail ??= createJail({ limits: UNHURRIED }));
  }

  /** A folder of the host that the caller alone can write. */
  get folder(): string {
    this.#folder ||= mkdtempSync(join(tmpdir(), 'suite-'));
    return this.#folder;
  }

  /** Writes a file below the folder, and returns its path. */
  file(name: string, content: string | Uint8Array = '', mode = 0o644): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  }

  /** Runs Python code. */
  async python(code: string, options: JailCodeOptions = {}): Promise<JailResult> {
    return this.jail.jailCode('python', { code, ...options });
  }

  /** Runs Python code that must not fail; returns what it printed. */
  async printed(code: string, options: JailCodeOptions = {}): Promise<string> {
    const { stdout, stderr, status } = await this.python(code, options);
    expect({ stderr: stderr.toString(), status }).toEqual({ stderr: '', status: 0 });
    return stdout.toString();
  }

  /** @internal */
  async end(): Promise<void> {
    await this.#jail?.close();
    this.#jail = undefined;
    if (this.#folder !== '') {
      rmSync(this.#folder, { recursive: true, force: true });
      this.#folder = '';
    }
  }
}

/** A suite whose jail is closed, and whose folder is removed, after each test. */
export function useSuite(): Suite {
  const suite = new Suite();
  afterEach(async () => {
    await suite.end();
  });
  return suite;
}
