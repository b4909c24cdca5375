// Signals to this command end the jail first, then the command, as the signal would have.
import { constants } from 'node:os';
import { ExitStatus } from './exit-status';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The reason for which a call was aborted. */
class Interrupted extends Error {
  constructor(readonly signalName: NodeJS.Signals) {
    super(`interrupted by ${signalName}`);
  }
}

/** Watches for what ends this command early. */
export class Interruption {
  readonly #controller = new AbortController();

  constructor() {
    for (const name of SIGNALS) {
      process.once(name, () => {
        this.#controller.abort(new Interrupted(name));
      });
    }
    // Whoever read the output has gone; Node has SIGPIPE ignored.
    process.stdout.on('error', () => {
      this.#controller.abort(new Interrupted('SIGPIPE'));
    });
  }

  /** Aborted by the first of the signals. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Ends this process by the signal that interrupted it: a shell then sees what it expects. Whatever went
   * wrong after it, such as a Python that got the terminal's signal too, is not worth a word.
   * @returns the status to end with, or undefined where nothing interrupted
   */
  end(): number | undefined {
    const reason: unknown = this.signal.reason;
    if (!(reason instanceof Interrupted)) {
      return undefined;
    }
    if (reason.signalName !== 'SIGPIPE') {
      process.kill(process.pid, reason.signalName);
    }
    return ExitStatus.signal + constants.signals[reason.signalName];
  }
}
