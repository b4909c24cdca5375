// What the suites of jails have in common: a jail and a folder of the host, new for each test.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Jail, JailCodeOptions, JailResult } from '../../lib/index';
import { createJail, mode } from './jail';
import { settledLeftovers, type Traces } from './leftovers';

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

  /** Has the jail's pools stand before the test's first call. */
  async ready(): Promise<void> {
    if (mode === 'warm') {
      await this.jail.warmUp();
    }
  }

  /**
   * What is there now that was not there before, when nothing of a call should be.
   * @param before `traces()` of a moment when the suite was `ready`
   */
  async leftovers(before: Traces): Promise<Partial<Traces>> {
    if (mode === 'warm') {
      // A new cell stands where the call's was: only without any can the call's own be told.
      await this.#jail?.close();
    }
    return settledLeftovers(before);
  }

  /** @internal */
  async end(): Promise<void> {
    const jail = this.#jail;
    this.#jail = undefined;
    await jail?.close();
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
