// What a jail is told before its calls: its commands, its limits, its settings.
import { Command, type HostShare } from '../command/command';
import { autoConfiguredPython } from '../command/default-python';
import { DEFAULT_UID_POOL } from '../confinement/plan';
import { takeUidPool } from '../confinement/uid-pools';
import { NotConfiguredError } from '../errors';
import { Gate } from '../gate/gate';
import { mostRunning } from '../gate/process-gate';
import type { GuaranteeName } from '../guarantee-names';
import { hostKind } from '../host/host';
import { LimitTable, type LimitName, type Limits } from '../limits';
import { parseCommandName, parseCommandOptions } from '../options/command';
import { parseBounds, parseJailOptions } from '../options/jail';
import { tellTo, type Tell } from '../options/logger';
import { parseSettings, type CodeJailSettings } from '../options/settings';
import type { BoundChanges, CommandArguments, CommandOptions, JailOptions } from '../options/types';
import { publishQueueEvent } from '../statistics/diagnostics';

// That of a warm command's template, and of its successor while one takes the other's place.
const UIDS_OF_A_WARM_COMMAND = 2;

/** A jail's commands and limits, which no other jail shares. `Jail` adds the calls. */
export abstract class Configuration {
  readonly #commands = new Map<string, Command>();
  #giveUidPoolBack: (() => void) | undefined;
  /** @internal */
  protected readonly limits: LimitTable;
  /** @internal */
  protected readonly allowMissing: readonly GuaranteeName[];
  /** @internal */
  protected readonly share: HostShare;
  /** @internal */
  protected readonly logger: Tell;
  /**
   * Lets calls in.
   * @internal
   */
  protected readonly gate: Gate;
  /** Whether safeExec runs everything unconfined, as CodeJail's `ALWAYS_BE_UNSAFE` does: the option of that name. */
  readonly alwaysBeUnsafe: boolean;

  /** @internal */
  constructor(options: JailOptions = {}) {
    const { allowMissing, alwaysBeUnsafe, uidPool, cgroup, commands, logger, bounds, ...rest } =
      parseJailOptions(options);
    this.allowMissing = allowMissing;
    this.alwaysBeUnsafe = alwaysBeUnsafe;
    this.share = { uidPool: uidPool ?? DEFAULT_UID_POOL, cgroup };
    this.logger = tellTo(logger);
    this.gate = new Gate({ bounds, uids: () => this.#uids(), onEvent: publishQueueEvent });
    this.#warnOfBounds(bounds);
    this.limits = new LimitTable(
      logger === undefined
        ? undefined
        : (message) => {
            this.logger('warn', message);
          },
    );
    this.limits.useDefaults(rest.defaults);
    for (const [name, value] of Object.entries(rest.limits) as [LimitName, number][]) {
      this.limits.set(name, value);
    }
    for (const [name, options] of commands) {
      const command = new Command(name, options);
      command.requireHeeded(options.env, `options.commands.${name}.env`);
      this.#commands.set(name, command);
    }
    if (uidPool !== undefined) {
      this.takeUidPool();
    }
  }

  /**
   * Configures a command, or configures it anew; calls that have begun go on as they were.
   * @param command any name; `python` gets the arguments `-E -B`, as in CodeJail
   * @param options the program's path, or more
   * @throws InvalidArgumentError naming the option at fault
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * jail.configure('greet', { bin: '/bin/echo', args: ['hello'] });
   * const { stdout } = await jail.jailCode('greet');
   * console.log(stdout.toString()); // hello
   */
  configure(command: string, options: string | CommandOptions): void {
    const name = parseCommandName(command);
    const parsed = parseCommandOptions(options);
    new Command(name, parsed).requireHeeded(parsed.env);
    this.#replace(name, parsed);
  }

  #replace(name: string, options: CommandArguments): void {
    const former = this.#commands.get(name);
    this.#commands.set(name, new Command(name, options));
    this.gate.reconsider();
    if (former !== undefined) {
      this.onReplaced(former);
    }
  }

  /**
   * Whether a command can be used: one that was configured, or `python` where one is found.
   * @throws InvalidArgumentError where the name is no string, or empty
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * console.log(jail.isConfigured('cobol')); // false
   */
  isConfigured(command: string): boolean {
    return this.find(parseCommandName(command)) !== undefined;
  }

  /**
   * Sets a limit for every later call.
   * @param name of the limit
   * @param value in the limit's unit, see `Limits`; null puts the default back
   * @throws InvalidArgumentError where the limit is unknown, or the value is out of its range
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * jail.setLimit('cpu', 2.5);
   * console.log(jail.effectiveLimits().cpu); // 2.5
   */
  setLimit(name: LimitName, value: number | null): void {
    this.limits.set(name, value);
  }

  /**
   * Sets how many calls run and wait at a time, from now on; what is absent stays, and null puts the default back.
   * @throws InvalidArgumentError where a number is out of its range
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * jail.setBounds({ maxRunning: 4, maxQueue: 100, maxWaitMs: 5000 });
   * console.log(jail.stats().queue.maxQueue); // 100
   */
  setBounds(bounds: BoundChanges): void {
    const parsed = parseBounds(bounds);
    this.gate.setBounds(parsed);
    this.#warnOfBounds(parsed);
  }

  /**
   * At the first use where the pool is the default: the package's default jail may never run anything.
   * @throws InvalidArgumentError where some of these uids are another jail's
   * @internal
   */
  protected takeUidPool(): void {
    this.#giveUidPoolBack ??= takeUidPool(this.share.uidPool, 'options.uidPool');
  }

  /**
   * Of a closed jail: others may take uids of its pool.
   * @internal
   */
  protected giveUidPoolBack(): void {
    this.#giveUidPoolBack?.();
    this.#giveUidPoolBack = () => undefined;
  }

  /** How many programs there are uids for. */
  #uids(): number {
    if (hostKind() === 'user') {
      return Number.POSITIVE_INFINITY;
    }
    const warm = this.commands.filter(({ options }) => options.warm !== false).length;
    return this.share.uidPool.count - UIDS_OF_A_WARM_COMMAND * warm;
  }

  #warnOfBounds({ maxRunning }: BoundChanges): void {
    const most = typeof maxRunning === 'number' ? mostRunning() : 0;
    if (typeof maxRunning === 'number' && maxRunning > most) {
      this.logger(
        'warn',
        `maxRunning is ${maxRunning}, and the descriptors that this process may have are enough for ${most} calls at a time: ` +
          'the others wait. Raise it by ulimit -n, or LimitNOFILE= in a systemd unit',
      );
    }
  }

  /**
   * Overrides a limit for the calls that name this context as their option `limitOverridesContext`.
   * @param name of the limit; `proxy` can't be overridden
   * @param value in the limit's unit, see `Limits`; null takes the override away
   * @param context not empty: a course, say
   * @throws InvalidArgumentError where the limit is unknown, the value is out of its range, or the context is empty
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * jail.overrideLimit('realtime', 30, 'course-v1:X');
   * console.log(jail.effectiveLimits('course-v1:X').realtime); // 30
   */
  overrideLimit(name: LimitName, value: number | null, context: string): void {
    this.limits.override(name, value, context);
  }

  /**
   * The limits that a call would have.
   * @param context whose overrides apply; one that is unknown overrides nothing
   * @throws InvalidArgumentError where the environment variable `CODEJAIL_PROXY` is no whole number
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * console.log(jail.effectiveLimits().nproc); // 15
   */
  effectiveLimits(context?: string): Limits {
    return this.limits.effective(context);
  }

  /**
   * Applies Open edX's `CODE_JAIL` dictionary. Limits that nobody has set are CodeJail's from now on (`realtime` 1, `fsize`
   * 0). Where it names a Python, the command `python` gets that program and that user, and keeps what else it was
   * configured with: a profile, `warm`, an environment.
   * @throws InvalidArgumentError naming the setting, `settings.limits.CPU`: then nothing has been applied
   * @example
   * import { createJail } from 'codejail';
   *
   * const jail = createJail();
   * jail.applySettings({ limits: { CPU: 3 }, limit_overrides: { 'course-v1:X': { CPU: 10 } } });
   * console.log(jail.effectiveLimits('course-v1:X').cpu); // 10
   */
  applySettings(settings: CodeJailSettings): void {
    const { command, limits, overrides } = parseSettings(settings);
    if (command !== undefined) {
      const former = this.find('python')?.options ?? parseCommandOptions(command.bin);
      this.#replace('python', {
        ...former,
        ...{ bin: command.bin, user: command.user, python: undefined },
      });
    }
    this.limits.useDefaults('codejail');
    for (const { name, value } of limits) {
      this.limits.set(name, value);
    }
    for (const { name, value, context } of overrides) {
      this.limits.override(name, value, context);
    }
  }

  /**
   * Told of a command that was configured anew.
   * @internal
   */
  protected abstract onReplaced(command: Command): void;

  /**
   * Every command that was configured or found.
   * @internal
   */
  protected get commands(): readonly Command[] {
    return [...this.#commands.values()];
  }

  /**
   * A command that was configured, or `python` where one is found.
   * @internal
   */
  protected find(name: string): Command | undefined {
    const known = this.#commands.get(name);
    if (known !== undefined || name !== 'python') {
      return known;
    }
    const options = autoConfiguredPython();
    if (options === undefined) {
      return undefined;
    }
    const command = new Command(name, options);
    this.#commands.set(name, command);
    return command;
  }

  /**
   * @throws NotConfiguredError
   * @throws InvalidArgumentError where this jail's uids, those of the default, are another's in part
   * @internal
   */
  protected require(name: string): Command {
    this.takeUidPool();
    const command = this.find(name);
    if (command === undefined) {
      throw new NotConfiguredError(name, [...this.#commands.keys()]);
    }
    return command;
  }
}
