// What decides of a run.
import type { Limits } from '../limits';
import type { Conversation } from './conversation';
import type { EndSignal } from './end-signal';
import type { Input } from './input';
import type { OutputCallbacks } from './output-text';

/** Tells a caller's logger. */
export type Note = (level: 'info' | 'warn', message: string) => void;

/** What a call decides of a run. */
export interface RunCall extends OutputCallbacks {
  limits: Limits;
  stdin?: Input | undefined;
  collect: readonly string[];
  /** Any of them ends the call; it then rejects with that one's reason. */
  signals?: readonly EndSignal[];
  /** Told all that has come on the result channel, whenever some has. */
  onChannel?: ((bytes: Buffer) => void) | undefined;
  /** What the program may ask, and who answers. */
  conversation?: Conversation | undefined;
  /** How long the call waited for its turn, in milliseconds. */
  queuedMs?: number | undefined;
  /** Told where the program runs and that it was killed for its time, as CodeJail logs it. */
  onNote?: Note | undefined;
}

/** What its command decides of a run. */
export interface RunPlan {
  /** What its result says was in force. */
  mechanisms: readonly string[];
  /** Whether the program may execute others. */
  mayExec: boolean;
}
