// What happens in all jails of the process, as numbers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  CHANNELS,
  type CallMessage,
  type CellMessage,
  type QueueMessage,
  type TemplateMessage,
} from '../index';
import type { EventMetric, Labels } from './metrics';

/** Adds to a counter, or records in a histogram. */
export type Recorder = (metric: EventMetric, value: number, labels: Labels) => void;

function onCall(record: Recorder, message: CallMessage): void {
  const { command, path, outcome, whyCold, result, milliseconds } = message;
  record('callDuration', milliseconds / 1000, { command, path, outcome });
  if (result !== null) {
    record('callCpu', result.usage.cpuMs / 1000, { command });
  }
  if (whyCold !== null) {
    record('callsCold', 1, { command, reason: whyCold });
  }
}

function onQueue(record: Recorder, { type, waitedMs }: QueueMessage): void {
  if (type === 'begins') {
    record('queueWait', waitedMs / 1000, {});
  }
}

function onCell(record: Recorder, message: CellMessage): void {
  const { command } = message;
  if (message.type === 'cell-made') {
    record('cellMade', message.milliseconds / 1000, { command });
  } else {
    record('cellsLost', 1, { command });
  }
}

function onTemplate(record: Recorder, message: TemplateMessage): void {
  const { command } = message;
  if (message.type === 'template-started') {
    record('templateStart', message.milliseconds / 1000, { command });
  } else if (message.type === 'template-failed') {
    record('templateFailures', 1, { command, reason: 'not-started' });
  } else if (!message.expected) {
    record('templateFailures', 1, { command, reason: 'ended' });
  }
}

/** What each channel tells. */
interface Messages {
  call: CallMessage;
  queue: QueueMessage;
  cell: CellMessage;
  template: TemplateMessage;
}

/** Subscribes to a channel; gives what takes it back. */
export function listen<Name extends keyof Messages>(
  name: Name,
  listener: (message: Messages[Name]) => void,
): () => void {
  const onMessage = (message: unknown): void => {
    listener(message as Messages[Name]);
  };
  subscribe(CHANNELS[name], onMessage);
  return () => {
    unsubscribe(CHANNELS[name], onMessage);
  };
}

/** Records all that happens from now on, until what it gives is called. */
export function recordEvents(record: Recorder): () => void {
  const ends = [
    listen('call', (message) => {
      onCall(record, message);
    }),
    listen('queue', (message) => {
      onQueue(record, message);
    }),
    listen('cell', (message) => {
      onCell(record, message);
    }),
    listen('template', (message) => {
      onTemplate(record, message);
    }),
  ];
  return () => {
    for (const end of ends) {
      end();
    }
  };
}
