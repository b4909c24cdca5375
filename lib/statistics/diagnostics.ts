// What happens, told to whoever subscribes to node:diagnostics_channel; nothing is made where nobody does.
import { channel } from 'node:diagnostics_channel';
import type { SessionLostReason } from '../errors';
import type { QueueEvent } from '../gate/queue-statistics';
import type { JailResult, Outcome } from '../run/result';
import type { PoolEvent } from '../warm/pool-statistics';
import type { ColdReason } from '../warm/rule';

/**
 * The channels' names.
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 * import { CHANNELS, jailCode } from 'codejail';
 *
 * subscribe(CHANNELS.call, ({ command, outcome }) => {
 *   console.log(command, outcome); // python exited
 * });
 * await jailCode('python', { code: 'print(1)' });
 */
export const CHANNELS = Object.freeze({
  /** A call has ended: `CallMessage`. */
  call: 'codejail:call',
  /** A call has to wait, begins after it waited, is refused, or stops waiting: `QueueMessage`. */
  queue: 'codejail:queue',
  /** A session was opened, is closed or lost: `SessionMessage`. */
  session: 'codejail:session',
  /** A warm cell was made, or died before its call began: `CellMessage`. */
  cell: 'codejail:cell',
  /** A template was started, could not be, or ended: `TemplateMessage`. */
  template: 'codejail:template',
});

/** The message of `CHANNELS.call`. */
export interface CallMessage {
  /** The command's name. */
  command: string;
  /** What the caller calls the run, its option `slug`. */
  slug: string | null;
  /** `warm` where a cell has run it, `session` of a step of a session. */
  path: 'cold' | 'warm' | 'session';
  /** Why it was not warm; null also where it was rejected before that was known. */
  whyCold: ColdReason | null;
  /** `rejected`: nothing was run, or the call was aborted. */
  outcome: Outcome | 'rejected';
  /** What it ended with; null where it was rejected. */
  result: JailResult | null;
  /** What it was rejected with. */
  error: unknown;
  /** From the call's turn to its end, in milliseconds. */
  milliseconds: number;
  /** How long it waited for its turn before, in milliseconds. */
  queuedMs: number;
}

/** Whose pool it is that something happened in. */
export interface OfCommand {
  /** The command's name. */
  command: string;
}

/** What happens to cells, of all that happens in a pool. */
export type CellEventType = 'cell-made' | 'cell-lost';

/** The message of `CHANNELS.session`: a session was opened, is closed or lost. */
export interface SessionMessage {
  /** What happened. */
  type: 'opened' | 'closed' | 'lost';
  /** The command's name. */
  command: string;
  /** What the caller calls the session, its option `slug`; null where it has none. */
  slug: string | null;
  /** Why it is lost, else null. */
  reason: SessionLostReason | null;
  /** Of `opened` how long that took, else how long it was open. */
  milliseconds: number;
}

/** The message of `CHANNELS.queue`: a call waits, begins after it waited, is refused, or stops waiting. */
export type QueueMessage = QueueEvent;

/** The message of `CHANNELS.cell`: a warm cell of the command was made, or died before its call began. */
export type CellMessage = OfCommand &
  Extract<PoolEvent, { /** What happened. */ type: CellEventType }>;

/** The message of `CHANNELS.template`: a template of the command was started, could not be, or ended. */
export type TemplateMessage = OfCommand &
  Exclude<PoolEvent, { /** What happened. */ type: CellEventType }>;

const callChannel = channel(CHANNELS.call);
const sessionChannel = channel(CHANNELS.session);
const queueChannel = channel(CHANNELS.queue);
const cellChannel = channel(CHANNELS.cell);
const templateChannel = channel(CHANNELS.template);

/** Tells of a call that has ended. */
export function publishCall(message: CallMessage): void {
  if (callChannel.hasSubscribers) {
    callChannel.publish(message);
  }
}

/** Tells of a session. */
export function publishSession(message: SessionMessage): void {
  if (sessionChannel.hasSubscribers) {
    sessionChannel.publish(message);
  }
}

/** Tells of what happened at a jail's gate. */
export function publishQueueEvent(event: QueueEvent): void {
  if (queueChannel.hasSubscribers) {
    queueChannel.publish(event);
  }
}

/** Tells of what happened in a command's pool. */
export function publishPoolEvent(command: string, event: PoolEvent): void {
  const target =
    event.type === 'cell-made' || event.type === 'cell-lost' ? cellChannel : templateChannel;
  if (target.hasSubscribers) {
    target.publish({ command, ...event });
  }
}
