// The calls of a jail: packed, let in or waiting for their turn, running, ended with their jail.
import type { Command } from '../command/command';
import { ClosedError } from '../errors';
import type { Gate } from '../gate/gate';
import type { Place } from '../gate/place';
import type { Limits } from '../limits';
import { copyLong, type Copied } from '../options/copying';
import type { ExtraFile } from '../options/files';
import type { Tell } from '../options/logger';
import { requireRoom } from '../options/room';
import type { LogLevel, RunArguments } from '../options/types';
import { Closing, type EndSignal } from '../run/end-signal';
import { programFrom, withoutProgram, type JailFile } from '../spec/files';
import { settledWithin } from '../time/settled-within';
import { abortable } from '../run/abortable';
import type { CommandCall } from './dispatcher';
import { shareSignal } from './shared-signal';

/** What the kinds of call do not have in common. */
export type OwnPart = Pick<CommandCall, 'hasCode' | 'isPython' | 'conversation'> & {
  files: readonly (JailFile | ExtraFile)[];
};

/** What a call was given that may still have to be copied, and what it has to fit into. */
export type Given = Pick<OwnPart, 'files'> & Pick<RunArguments, 'stdin'> & { limits: Limits };

/** A call that is let in, or waits for its turn. */
export interface Admitted {
  place: Place;
  given: Given;
  /** Packs it. When it is its turn: of thousands that wait, each would take that much memory and time before. */
  pack: (copied: Copied<Given>) => CommandCall;
}

/**
 * All that a call was given, at once where that is short.
 * @throws InvalidArgumentError where it can't be copied, or is longer than its limits have room for
 */
export function copiedGiven(given: Given): Copied<Given> | Promise<Copied<Given>> {
  const copying = copyLong(given);
  return copying instanceof Promise
    ? copying.then((copied) => {
        requireRoom({ extraFiles: withoutProgram(copied.files), collect: [] }, given.limits);
        return copied;
      })
    : copying;
}

/** Knows all calls of one jail, until nothing of them is left. */
export class Calls {
  readonly #gate: Gate;
  readonly #logger: Tell;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new Closing();

  /** @param logger told what runs do */
  constructor(gate: Gate, logger: Tell) {
    this.#gate = gate;
    this.#logger = logger;
  }

  /**
   * Lets a call in, or has it wait.
   * @throws BusyError, ClosedError; the signal's reason
   */
  admit(command: Command, args: RunArguments, limits: Limits, own: OwnPart): Admitted {
    const { place, signals } = this.enter(args.tenant, args.signal);
    return {
      place,
      given: { files: own.files, stdin: args.stdin, limits },
      pack: ({ files, stdin }) => ({
        ...args,
        ...own,
        ...{ files, stdin, command, limits, signals },
        argv: [...(own.hasCode ? [programFrom(args.cwd)] : []), ...args.argv],
        copies: args.files,
        onNote: (level, message) => {
          this.#note(level, message, args.slug, command.name);
        },
      }),
    };
  }

  /**
   * Lets work in that is no call of a command's, or has it wait.
   * @throws BusyError, ClosedError; the signal's reason
   */
  enter(
    tenant: string | undefined,
    given: AbortSignal | undefined,
  ): { place: Place; signals: readonly EndSignal[] } {
    const signal = given === undefined ? undefined : shareSignal(given);
    signal?.throwIfAborted();
    const place = this.#gate.enter(tenant, signal);
    return { place, signals: signal === undefined ? [this.#closing] : [signal, this.#closing] };
  }

  /** As of `Gate`. */
  throwIfFull(waiting: number, tenant: string | undefined): void {
    this.#gate.throwIfFull(waiting, tenant);
  }

  /** Ends all of this jail's. */
  get closing(): EndSignal {
    return this.#closing;
  }

  /** Tells the logger what something of that slug, of that command, did. */
  note(level: LogLevel, message: string, slug: string | undefined, command: string): void {
    this.#note(level, message, slug, command);
  }

  #note(level: LogLevel, message: string, slug: string | undefined, command: string): void {
    if (level === 'warn' || slug !== undefined) {
      this.#logger(level, message, { ...(slug === undefined ? {} : { slug }), command });
    }
  }

  /** Does a call's work, for which the jail's end waits; its place is free afterwards. */
  async track<T>(work: () => Promise<T>, place?: Place): Promise<T> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      place?.leave();
    }
  }

  /**
   * Does work that others may want too: an abort ends the wait for it.
   * @throws ClosedError; the signal's reason
   */
  async wait<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    this.#gate.throwIfClosed();
    return abortable(this.track(work), signal === undefined ? [] : [signal]);
  }

  /** Refuses later calls, and waits for those that run or wait, at most so long. */
  async drain(timeoutMs?: number): Promise<void> {
    this.#gate.refuseLater(new ClosedError());
    await settledWithin(this.#running, timeoutMs);
  }

  /** Ends every call that runs or waits, and refuses later ones. */
  end(): void {
    const error = new ClosedError();
    this.#gate.close(error);
    this.#closing.abort(error);
  }

  /** Waits until nothing of them is left. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
