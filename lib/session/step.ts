// One step as its session's PID 1 knows it: its pipes made ahead, ready, done, ended.
import { readReport, type NativeReport } from '../native/report';
import type { NativeStepEvent } from '../native/addon';
import { OutputReader } from '../run/output';
import { RequestWriter } from '../run/request-writer';
import { Deferred } from '../time/deferred';
import type { SessionEvent } from '../warm/session-cell';

/** How a step came to its end, or to where it waits to be kept or dropped. */
export interface StepEnd {
  what: 'done' | 'ended';
  report: NativeReport;
  /** As of `NativeStepEvent`. */
  isBranchable: boolean;
  errno: number;
}

/** No step of its own made it: its session was lost. */
export type Settled = StepEnd | 'lost';

/** What comes of one step. */
export class Step {
  readonly id: number;
  readonly head: number;
  /** Where its request is written. */
  readonly descriptor: number;
  readonly request: RequestWriter;
  // The addon reads.
  readonly stdout = new OutputReader(-1);
  readonly stderr = new OutputReader(-1);
  readonly channel = new OutputReader(-1);
  /** Whether it has been told what to run. Before, nothing of it prints. */
  isBegun = false;
  readonly #ready = new Deferred<Settled | 'ready'>();
  readonly #settled = new Deferred<Settled>();
  readonly #gone = new Deferred<Settled>();
  readonly #forked = new Deferred<boolean>();

  constructor(id: number, head: number, descriptor: number) {
    this.id = id;
    this.head = head;
    this.descriptor = descriptor;
    this.request = new RequestWriter(descriptor);
  }

  /** Resolves when a process waits for what to run, or never will. */
  get ready(): Promise<Settled | 'ready'> {
    return this.#ready.promise;
  }

  /** Resolves when its code has ended, or its processes have. */
  get settled(): Promise<Settled> {
    return this.#settled.promise;
  }

  /** Resolves when its processes are dead. */
  get gone(): Promise<Settled> {
    return this.#gone.promise;
  }

  /** Of one that became another head's state: resolves then, to whether it did. */
  get forked(): Promise<boolean> {
    return this.#forked.promise;
  }

  /** Takes what it has printed. */
  take({ stdout, stderr, result }: Extract<SessionEvent, { type: 'stepOutputs' }>): void {
    if (stdout !== undefined) this.stdout.take(stdout);
    if (stderr !== undefined) this.stderr.take(stderr);
    if (result !== undefined) this.channel.take(result);
  }

  /** Takes PID 1's word; whether it is the last one. */
  tell({ what, report, isBranchable, errno }: NativeStepEvent): boolean {
    if (what === 'ready') {
      this.#ready.settle('ready');
      return false;
    }
    if (what === 'begun') {
      this.#forked.settle(true);
      this.request.close();
      return true;
    }
    const isDone = what === 'done';
    this.#end(
      { what: isDone ? 'done' : 'ended', report: readReport(report), isBranchable, errno },
      !isDone,
    );
    return !isDone;
  }

  /** It is kept, and so no step any more. */
  keep(): void {
    this.request.close();
  }

  /** Its session is lost. */
  lose(): void {
    this.#end('lost', true);
  }

  #end(end: Settled, isGone: boolean): void {
    this.#ready.settle(end);
    this.#settled.settle(end);
    this.request.stop();
    if (isGone) {
      this.#gone.settle(end);
      this.#forked.settle(false);
      this.request.close();
    }
  }
}
