import type { NativeJail, NativeOutputs } from '../native/addon';
import { OutputReader } from './output';

/** The readers of a jail's pipes. */
export class Outputs {
  readonly stdout: OutputReader;
  readonly stderr: OutputReader;
  readonly channel: OutputReader | undefined;
  readonly #all: readonly OutputReader[];

  constructor(jail: NativeJail) {
    this.stdout = new OutputReader(jail.stdout);
    this.stderr = new OutputReader(jail.stderr);
    this.channel = jail.result < 0 ? undefined : new OutputReader(jail.result);
    const { stdout, stderr, channel } = this;
    this.#all = channel === undefined ? [stdout, stderr] : [stdout, stderr, channel];
  }

  /** Bytes that came on the one that gave most. */
  get mostSeen(): number {
    return Math.max(...this.#all.map(({ seen }) => seen));
  }

  /** Whether more came on any than its limit allows. */
  get areOver(): boolean {
    return this.#all.some(({ over }) => over);
  }

  /** Reads as it comes. */
  start(): void {
    for (const reader of this.#all) {
      reader.start();
    }
  }

  /** Takes what came on a cell's outputs. */
  take({ stdout, stderr, result, ended }: NativeOutputs): void {
    // First: whatever comes of a chunk, the number of what is closed may be another one's soon.
    for (const [index, reader] of this.#all.entries()) {
      if ((ended & (1 << index)) !== 0) {
        reader.end();
      }
    }
    if (stdout !== undefined) this.stdout.take(stdout);
    if (stderr !== undefined) this.stderr.take(stderr);
    if (result !== undefined) this.channel?.take(result);
  }

  /** Reads what is left, when every process of the jail is dead. */
  drain(): void {
    for (const reader of this.#all) {
      reader.drain();
    }
  }

  /** Whether they keep this process alive. */
  hold(held: boolean): void {
    for (const reader of this.#all) {
      reader.hold(held);
    }
  }

  /** Whether all of them have ended. */
  get haveEnded(): boolean {
    return this.#all.every(({ hasEnded }) => hasEnded);
  }

  /** Whether what each has kept is in one memory. */
  get areJoined(): boolean {
    return this.#all.every(({ isJoined }) => isJoined);
  }

  /** Sees to it. */
  async join(): Promise<void> {
    for (const reader of this.#all) {
      if (!reader.isJoined) {
        await reader.join();
      }
    }
  }

  /** Settles when all of them have ended. */
  async ended(): Promise<void> {
    for (const reader of this.#all) {
      await reader.ended;
    }
  }
}
