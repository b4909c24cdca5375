// The sessions of a jail: opened, and ended with it.
import type { Command } from '../command/command';
import type { JsonText } from '../json/text-buffers';
import { jsonOf } from '../exec/conclusion';
import type { Limits } from '../limits';
import { checkFiles } from '../options/files';
import type { SessionArguments } from '../session/options';
import { throwIfAborted, type EndSignal } from '../run/end-signal';
import { HeadSession } from '../session/session';
import { OWN_PROCESSES, SessionJail } from '../session/session-jail';
import { encodeSession } from '../session/request';
import type { SessionPlan, SessionSurroundings } from '../session/surroundings';
import type { Session } from '../session/types';
import { withoutProgram, type JailFile } from '../spec/files';
import { now } from '../time/clock';
import { WAITING_OPEN_FILES, WAITING_STACK } from '../warm/rule';
import { copiedGiven, type Calls } from './calls';
import type { Dispatcher } from './dispatcher';
import { readHostFiles } from './host-files';
import { shareSignal } from './shared-signal';

/** Opens sessions of one jail. */
export class Sessions {
  readonly #calls: Calls;
  readonly #dispatcher: Dispatcher;

  constructor(calls: Calls, dispatcher: Dispatcher) {
    this.#calls = calls;
    this.#dispatcher = dispatcher;
  }

  /**
   * Opens one.
   * @throws as `Jail.openSession`
   */
  async open(command: Command, args: SessionArguments, limits: Limits): Promise<Session> {
    const calledAt = now();
    const { place, signals } = this.#calls.enter(args.tenant, args.signal);
    return this.#calls.track(async () => {
      const globalsJson = await jsonOf(args.globals);
      const copied = await copiedGiven({ files: args.extraFiles, limits });
      await checkFiles(args.files);
      const own = withoutProgram(copied.files);
      const files = [...own, ...(await readHostFiles(args.files, limits, own))];
      if (!place.isIn) {
        await place.turn();
      }
      throwIfAborted(signals);
      return this.#begin(command, args, { limits, files, globalsJson, signals, calledAt });
    }, place);
  }

  async #begin(
    command: Command,
    args: SessionArguments,
    given: {
      limits: Limits;
      files: readonly JailFile[];
      globalsJson: JsonText;
      signals: readonly EndSignal[];
      calledAt: number;
    },
  ): Promise<Session> {
    const { limits, signals } = given;
    const surroundings = this.#surroundings(command, args);
    const { opened, host } = await this.#dispatcher.openSession(
      {
        ...{ command, limits, signals, env: args.env },
        isOwn:
          Object.keys(args.env).length > 0 ||
          limits.stack !== WAITING_STACK ||
          limits.openFiles === 0 ||
          limits.openFiles > WAITING_OPEN_FILES,
      },
      // In one turn, after the signals were looked at: one that is aborted later finds the session listening.
      (cell) => {
        const jail = new SessionJail();
        const session = cell.openSession({
          limits: { ...limits, nproc: limits.nproc === 0 ? 0 : limits.nproc + OWN_PROCESSES },
          files: given.files,
          request: encodeSession(given.globalsJson, args.pythonPath),
          onEvent: jail.onEvent,
          onEnded: jail.onEnded,
        });
        jail.begin(session);
        const { mechanisms, directory } = session.host;
        const plan: SessionPlan = {
          ...{ limits, mechanisms, directory },
          functions: args.functions,
          slug: args.slug,
          idleMs: args.idleMs,
          signal: args.signal === undefined ? undefined : shareSignal(args.signal),
          closing: this.#calls.closing,
        };
        return { opened: new HeadSession(jail, plan, surroundings), host: session.host };
      },
    );
    try {
      await opened.begin(given.calledAt);
    } catch (error) {
      await opened.close();
      throw error;
    }
    host.hold(false);
    return opened;
  }

  #surroundings(command: Command, { tenant, slug }: SessionArguments): SessionSurroundings {
    const dispatcher = this.#dispatcher;
    const told = { command: command.name, slug: slug ?? null };
    return {
      enter: (signal) => this.#calls.enter(tenant, signal),
      throwIfFull: (waiting) => {
        this.#calls.throwIfFull(waiting, tenant);
      },
      share: shareSignal,
      track: async (work) => this.#calls.track(work),
      onStepBegun: () => {
        dispatcher.beginStep();
      },
      onStepEnded: (message) => {
        dispatcher.endStep({ ...message, command: command.name, path: 'session', whyCold: null });
      },
      onOpened: (milliseconds) => {
        dispatcher.tellSession({ ...told, type: 'opened', reason: null, milliseconds });
      },
      onOver: (reason, milliseconds) => {
        dispatcher.tellSession(
          reason === 'closed'
            ? { ...told, type: 'closed', reason: null, milliseconds }
            : { ...told, type: 'lost', reason, milliseconds },
        );
      },
      onNote: (own, level, message) => {
        this.#calls.note(level, message, own, command.name);
      },
    };
  }
}
