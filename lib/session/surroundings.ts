// What a session is opened with by its jail, and tells it.
import type { SessionLostReason } from '../errors';
import type { CheckedFunction } from '../functions/host-calls';
import type { Place } from '../gate/place';
import type { Limits } from '../limits';
import type { EndSignal } from '../run/end-signal';
import type { Outcome } from '../run/result';
import type { StepResult } from './types';

/** Why a session is over. */
export type EndReason = SessionLostReason | 'closed';

/** What a step came to, for statistics and diagnostics channels. */
export interface StepMessage {
  slug: string | null;
  outcome: Outcome | 'rejected';
  result: StepResult | null;
  error: unknown;
  milliseconds: number;
  queuedMs: number;
}

/** What a session needs of its jail. */
export interface SessionSurroundings {
  /** Lets a step in, or has it wait. */
  enter: (signal: AbortSignal | undefined) => { place: Place; signals: readonly EndSignal[] };
  /** The signal, for any number of steps to listen to. */
  share: (signal: AbortSignal) => EndSignal;
  /** Throws a BusyError where as many steps wait for their session as may. */
  throwIfFull: (waiting: number) => void;
  /** Does work that the jail's end waits for. */
  track: <T>(work: () => Promise<T>) => Promise<T>;
  onStepBegun: () => void;
  onStepEnded: (message: StepMessage) => void;
  /** @param milliseconds what it took to open, or to fork */
  onOpened: (milliseconds: number) => void;
  /** Told of those that were opened. @param milliseconds how long it was open */
  onOver: (reason: EndReason, milliseconds: number) => void;
  onNote: (slug: string | undefined, level: 'info' | 'warn', message: string) => void;
}

/** What all heads of a session have in common. */
export interface SessionPlan {
  limits: Limits;
  functions: readonly CheckedFunction[];
  slug: string | undefined;
  idleMs: number;
  signal: EndSignal | undefined;
  /** Ends it with its jail. */
  closing: EndSignal;
  /** What every result says was in force. */
  mechanisms: readonly string[];
  directory: string;
}
