// What `codejail run` says when the program has ended.
import { constants } from 'node:os';
import type { JailResult, Outcome } from '../index';
import { explainExceeded } from '../run/exceeded';
import { printable, printableJson } from '../text/printable';
import { ExitStatus } from './exit-status';
import { complain } from './failure';
import { withFlags } from './hint-words';
import { formatLimit, limitFlag } from './limit-options';
import { sayAside } from './terminal';
import { formatBytes } from './units';

const LIMIT_STATUS: Readonly<Record<Exclude<Outcome, 'exited' | 'signaled'>, number>> = {
  'cpu-limit': ExitStatus.cpuLimit,
  'time-limit': ExitStatus.timeLimit,
  'memory-limit': ExitStatus.memoryLimit,
  'disk-limit': ExitStatus.diskLimit,
  'output-limit': ExitStatus.outputLimit,
};

/** The status that the command ends with: the program's own, or that of the limit that it reached. */
export function statusOfResult({ outcome, status, signal }: JailResult): number {
  switch (outcome) {
    case 'exited':
      return status;
    case 'signaled':
      return ExitStatus.signal + (signal === null ? -status : constants.signals[signal]);
    default:
      return LIMIT_STATUS[outcome];
  }
}

/** Says on standard error why the program did not end by itself, if so. */
export function sayEnding({ outcome, status, signal, exceeded }: JailResult): void {
  if (outcome === 'exited') {
    return;
  }
  if (outcome === 'signaled' || exceeded === null) {
    complain(`the program was ended by ${signal ?? `signal ${-status}`}`);
    return;
  }
  complain(`${outcome}: ${explainExceeded(exceeded, formatLimit)} (${limitFlag(exceeded.limit)})`);
}

/** Says on standard error why the program may have failed, a line for each. */
export function sayHints({ hints, exceeded }: JailResult): void {
  // The limit that ended it has been named.
  for (const { message } of exceeded === null ? hints : hints.slice(1)) {
    sayAside(`codejail: hint: ${printable(withFlags(message))}`);
  }
}

/** Says on standard error what an explained program tried in vain, a line for each. */
export function sayAttempts({ attempts }: JailResult): void {
  for (const { call, what, error } of attempts) {
    sayAside(`codejail: tried: ${call} ${printable(what)}: ${error}`);
  }
}

/** Says on standard error what the run used and what confined it. */
export function sayUsage({ usage, confinement }: JailResult): void {
  const { wallMs, setupMs, userMs, systemMs, maxRssBytes } = usage;
  sayAside(
    `codejail: ran ${wallMs.toFixed(0)} ms, after ${setupMs.toFixed(0)} ms of set-up`,
    `  cpu         ${userMs.toFixed(0)} ms in the program, ${systemMs.toFixed(0)} ms in the kernel`,
    `  memory      ${formatBytes(maxRssBytes)} resident in its largest process`,
    `  confined by ${confinement.join(', ')}`,
  );
}

/** The same as one line of JSON, without the output itself. */
export function sayResultJson(result: JailResult): void {
  const {
    status,
    signal,
    outcome,
    exceeded,
    hints,
    attempts,
    usage,
    confinement,
    collected,
    uncollected,
  } = result;
  sayAside(
    printableJson(
      JSON.stringify({
        status,
        signal,
        outcome,
        exceeded,
        hints,
        attempts,
        usage,
        confinement,
        collected: collected.map(({ path, content }) => ({ path, bytes: content.length })),
        uncollected,
      }),
    ),
  );
}
