// A cell that runs the steps of a session, one after the other or several at a time.
import type { JsonText } from '../json/text-buffers';
import type { Limits } from '../limits';
import { native, OrderKind, type NativeEvent } from '../native/addon';
import { thrownByAddon } from '../native/failure';
import type { Ended } from '../run/conclusion';
import type { JailFile } from '../spec/files';

/** What is told of a session: of its steps, of what they print, and of its directory. */
export type SessionEvent = Extract<NativeEvent, { type: 'step' | 'stepOutputs' | 'session' }>;

/** What a session is begun with. */
export interface SessionCall {
  limits: Limits;
  files: readonly JailFile[];
  /** What `session.py` begins with. */
  request: JsonText;
  onEvent: (event: SessionEvent) => void;
  /** Told when every process of it is dead. */
  onEnded: (event: Ended) => void;
}

/** What a cell does for its session. */
export interface SessionHost {
  /** Resolves when nothing of it is left. */
  readonly dead: Promise<void>;
  /** Where its programs run. */
  readonly directory: string;
  /** What every result says was in force. */
  readonly mechanisms: readonly string[];
  /** Whether it keeps this process alive. */
  hold: (held: boolean) => void;
  /** Ends all of it. */
  kill: () => void;
}

/** The orders that a session's PID 1 obeys. */
export class SessionCell {
  readonly #id: number;
  readonly host: SessionHost;

  constructor(id: number, host: SessionHost) {
    this.#id = id;
    this.host = host;
  }

  /**
   * Makes a step's pipes, for which a fork of the head's state then waits.
   * @returns the descriptor that its request is written to, to be closed
   * @throws SetupError
   */
  prepare(step: number, head: number): number {
    try {
      return native().addon.prepareStep(this.#id, step, head);
    } catch (cause) {
      throw thrownByAddon(cause);
    }
  }

  /**
   * Begins a step that is ready.
   * @param cpuMicroseconds undefined: no limit
   * @param descriptor as `prepare` gave it
   * @param request short
   * @returns how many of its bytes are left to be written; -1 where the session is gone
   */
  begin(
    step: number,
    head: number,
    cpuMicroseconds: number | undefined,
    descriptor: number,
    request: string,
  ): number {
    return native().addon.beginStep(this.#id, step, head, cpuMicroseconds, descriptor, request);
  }

  /** A step that is done is its head's state from now on. */
  keep(step: number): void {
    native().addon.tellStep(this.#id, OrderKind.keep, step, 0, 0);
  }

  /** Whatever a step does, it ends, and nothing of it is left. */
  drop(step: number): void {
    native().addon.tellStep(this.#id, OrderKind.drop, step, 0, 0);
  }

  /** The fork that is ready for a step becomes another head's state. */
  fork(step: number, head: number, otherHead: number): void {
    native().addon.tellStep(this.#id, OrderKind.fork, step, head, otherHead);
  }

  /** Ends all processes of a head. */
  closeHead(head: number): void {
    native().addon.tellStep(this.#id, OrderKind.closeHead, 0, head, 0);
  }
}
