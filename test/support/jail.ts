// The jails of the suites. Each suite runs twice: with each call in a new jail, and with Python in warm cells.
import {
  createJail as createColdJail,
  type CloseOptions,
  type CommandOptions,
  type JailCodeOptions,
  type JailOptions,
  type JailResult,
  type SafeExecJsonResult,
  type SafeExecOptions,
  type SafeExecResult,
} from '../../lib/index';
import { Jail } from '../../lib/jail/jail';
import type { GuaranteeName } from '../../lib/guarantee-names';
import type { WaitOptions } from '../../lib/options/types';
import { autoConfiguredPython } from '../../lib/command/default-python';
import type { ColdReason } from '../../lib/warm/rule';

declare global {
  // Set by the Jest project (jest.config.js).
  var codejailMode: 'cold' | 'warm' | undefined;
  // Set by scripts/test-hosts.mjs: what the simulated host lacks.
  var codejailAllowMissing: GuaranteeName[] | undefined;
}

/** How this run of the suites serves Python. */
export const mode = globalThis.codejailMode ?? 'cold';

const { codejailAllowMissing: allowMissing } = globalThis;

// A call of the suites may be cold by the rule, never because a pool had nothing for it.
const EXCUSES: readonly ColdReason[] = [
  'not-warm',
  'proxy',
  'not-python',
  'command-args',
  'allow-exec',
  'host',
  'tmp',
  'files',
  'env',
  'own-place',
  'explain',
  'no-code',
  'big-files',
  'disk-limits',
  'stack',
  'open-files',
  'slower-to-wait',
  'queue-full',
  'waited-too-long',
  'closed',
];

/** A jail whose pools stand before its first call. */
class WarmJail extends Jail {
  #stands = false;

  override async jailCode(command: string, options?: JailCodeOptions): Promise<JailResult> {
    return this.#afterStart(async () => super.jailCode(command, options));
  }

  override async safeExec(
    code: string,
    globals: Record<string, unknown>,
    options?: SafeExecOptions,
  ): Promise<SafeExecResult> {
    return this.#afterStart(async () => super.safeExec(code, globals, options));
  }

  override async safeExecJson(
    code: string,
    globalsJson: string,
    options?: SafeExecOptions,
  ): Promise<SafeExecJsonResult> {
    return this.#afterStart(async () => super.safeExecJson(code, globalsJson, options));
  }

  // Later calls begin at once, as they do cold.
  async #afterStart<T>(call: () => Promise<T>): Promise<T> {
    if (!this.#stands) {
      // What is the matter with a command is for the call itself to say.
      await this.warmUp().catch(() => undefined);
      this.#stands = true;
    }
    return call();
  }

  override async warmUp(command?: string, options?: WaitOptions): Promise<void> {
    await super.warmUp(command, options);
    this.#stands = true;
  }

  override async close(options?: CloseOptions): Promise<void> {
    await super.close(options);
    const { whyCold } = this.stats();
    const unexcused = Object.keys(whyCold).filter((why) => !EXCUSES.includes(why as ColdReason));
    if (unexcused.length > 0) {
      throw new Error(`calls that should have been warm ran cold: ${unexcused.join(', ')}`);
    }
  }
}

function warmCommands({ commands = {} }: JailOptions): Record<string, string | CommandOptions> {
  const found = autoConfiguredPython();
  const python =
    found === undefined
      ? {}
      : { python: { bin: found.bin, ...(found.user === undefined ? {} : { user: found.user }) } };
  return Object.fromEntries(
    Object.entries({ ...python, ...commands }).map(([name, options]) => [
      name,
      {
        warm: { size: 2, memoryReserve: 0 },
        ...(typeof options === 'string' ? { bin: options } : options),
      },
    ]),
  );
}

/** `createJail`, with every command warm where the suites run so. */
export function createJail(given: JailOptions = {}): Jail {
  const options = allowMissing === undefined ? given : { allowMissing, ...given };
  return mode === 'cold'
    ? createColdJail(options)
    : new WarmJail({ ...options, commands: warmCommands(options) });
}
