// A command that is configured warm: whether it can be, and its pool.
import type { Command, HostShare, ReadyCommand } from '../command/command';
import { SetupError } from '../errors';
import type { GuaranteeName } from '../guarantee-names';
import { hostFacts } from '../host/host';
import { resolveShown } from '../host/shown-path';
import type { DiskLimits } from '../limits';
import { native } from '../native/addon';
import type { WarmArguments } from '../options/warm';
import type { ProbeCheck } from '../proof/probe';
import type { RunResult } from '../run/conclusion';
import { abortable } from '../run/abortable';
import { throwIfAborted, type EndSignal } from '../run/end-signal';
import type { Cell, WarmCall } from './cell';
import { MemoryGauge } from './memory-gauge';
import { Pool, type SessionNeeds } from './pool';
import type { PoolEvent, PoolStatistics } from './pool-statistics';
import { COLD_REASONS, whyNeverWarm, whyNeverWarmIn, type ColdReason } from './rule';
import { startTemplate } from './start';
import type { Template } from './template';

/** What a warm command needs of its jail. */
export interface WarmSurroundings {
  share: HostShare;
  allowMissing: readonly GuaranteeName[];
  limits: () => DiskLimits;
  onEvent: (event: PoolEvent) => void;
}

/** One warm command of one jail. */
export class WarmCommand {
  readonly #command: Command;
  readonly #warm: WarmArguments;
  readonly #surroundings: WarmSurroundings;
  readonly #pool: Pool;
  /** What was found when the command's program was looked at. */
  #known: { never: ColdReason | undefined } | undefined;

  constructor(command: Command, warm: WarmArguments, surroundings: WarmSurroundings) {
    this.#command = command;
    this.#warm = warm;
    this.#surroundings = surroundings;
    this.#pool = new Pool({
      warm,
      startTemplate: async () => this.#start(),
      limits: surroundings.limits,
      gauge: new MemoryGauge(warm.memoryReserve),
      currentProcessor: () => native().addon.processor(),
      onEvent: surroundings.onEvent,
    });
  }

  async #ready(): Promise<ReadyCommand> {
    const { share, allowMissing } = this.#surroundings;
    // Cells have no cgroup of their own: what confines them without one is proved by itself.
    return this.#command.ready({ ...share, cgroup: false }, allowMissing);
  }

  // Anew for each template: the host may have changed, and nothing is made that was not proved.
  async #start(own: Readonly<Record<string, string>> = {}): Promise<Template> {
    const { runtime, confinement, words, mechanisms } = await this.#ready();
    const { preload, pythonPath, rehearsal } = this.#warm;
    for (const [index, path] of pythonPath.entries()) {
      await resolveShown(path, `commands.${this.#command.name}.warm.pythonPath[${index}]`);
    }
    const env = this.#command.environment(runtime, own);
    const imports = { preload, pythonPath, rehearsal };
    return startTemplate({ runtime, confinement, words, mechanisms, env, ...imports });
  }

  /**
   * Begins a session in a cell of the pool, which it has until its end.
   * @returns why there is none
   * @throws as `Pool.lend`
   */
  async lend<Begun extends object>(
    call: SessionNeeds,
    begin: (cell: Cell) => Begun,
  ): Promise<Begun | ColdReason> {
    return (await this.#whyNever(call.signals)) ?? (await this.#pool.lend(call, begin));
  }

  /**
   * Begins a session in a cell of a template that is its alone and ends with it.
   * @param own what it needs, and its environment
   * @throws as `Command.ready` and `startTemplate`; SetupError where no Python of this command can wait here; what a signal was
   *   aborted with meanwhile
   */
  async makeOwn<Begun extends object>(
    { limits, signals, env }: SessionNeeds & { env: Readonly<Record<string, string>> },
    begin: (cell: Cell) => Begun,
  ): Promise<Begun> {
    const never = await this.#whyNever(signals);
    if (never !== undefined) {
      throw new SetupError('open the session', 0, {
        detail: `a session is a Python that waits for its steps, which this command's can't: ${COLD_REASONS[never]}`,
      });
    }
    throwIfAborted(signals);
    const template = await this.#start(env);
    try {
      throwIfAborted(signals);
      const cell = await template.makeCell(limits);
      try {
        throwIfAborted(signals);
        const begun = begin(cell);
        void cell.dead.then(async () => template.close());
        return begun;
      } catch (error) {
        await cell.discard();
        throw error;
      }
    } catch (error) {
      await template.close();
      throw error;
    }
  }

  /**
   * Why no call of this command can be warm on this host, if there is a reason.
   * @param signals end the wait for what others may want too: a Python that is asked for its modules, or a probe, may hang
   * @throws as `Command.ready`; the reason of the signal that is aborted first
   */
  async #whyNever(signals: readonly EndSignal[] = []): Promise<ColdReason | undefined> {
    const never = whyNeverWarmIn(this.#surroundings.share.cgroup);
    if (never !== undefined) {
      return never;
    }
    if (this.#known === undefined) {
      const { options, runtime, confinement } = await abortable(this.#ready(), signals);
      // Of a session the command need not be configured warm.
      const as = { ...options, warm: this.#warm };
      this.#known = { never: whyNeverWarm(as, runtime, confinement, hostFacts().landlock) };
    }
    return this.#known.never;
  }

  /**
   * Runs a call in a cell; returns why not, where it has to run cold.
   * @throws as `Pool.run`
   */
  async run(
    call: WarmCall,
    calledAt: number,
    onTaken?: () => void,
  ): Promise<RunResult | ColdReason> {
    // No turn for what is known.
    const { never } = this.#known ?? { never: await this.#whyNever(call.signals) };
    return never ?? (await this.#pool.run(call, calledAt, onTaken));
  }

  /**
   * Waits until the pool stands.
   * @returns why there is none, where it does not
   * @throws as `Command.ready` and `Pool.warmUp`
   */
  async warmUp(): Promise<ColdReason | undefined> {
    return (await this.#whyNever()) ?? (await this.#pool.warmUp());
  }

  /**
   * What was tried in cells before any serves a call; undefined where there are none.
   * @throws as `warmUp`, and SetupError where a cell does not hold
   */
  async verify(): Promise<readonly ProbeCheck[] | undefined> {
    return (await this.warmUp()) === undefined ? this.#pool.checks() : undefined;
  }

  /** As `Pool.announce`. */
  announce(): boolean {
    return this.#pool.announce();
  }

  stats(): PoolStatistics {
    return this.#pool.stats();
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
