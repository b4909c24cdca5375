// The safeExecs of a jail: Python's exec over its calls, confined or not.
import type { Command, HostShare } from '../command/command';
import { AnswerReader } from '../exec/answer';
import type { Conclusion } from '../exec/conclusion';
import { encodeCode, encodeRequest } from '../exec/request';
import { runUnconfined } from '../exec/unconfined';
import { HostCalls } from '../functions/host-calls';
import type { JsonText } from '../json/text-buffers';
import { ZERO_LIMITS, type Limits } from '../limits';
import { requirePython } from '../options/exec';
import { checkFiles } from '../options/files';
import type { SafeExecArguments } from '../options/types';
import { RUNNER } from '../python/runner-file';
import { EXEC_PROGRAM_NAME } from '../spec/files';
import { copiedGiven, type Admitted, type Calls } from './calls';
import type { Dispatcher } from './dispatcher';
import { searchedByTemplate } from './searched';

/** What is executed, and what its answer comes to. */
export interface Execution<Content, Result> {
  code: string;
  /** Gives its globals as JSON. */
  write: () => JsonText | Promise<JsonText>;
  args: SafeExecArguments;
  end: Conclusion<Content, Result>;
}

/** Executes code in jails of one jail's. */
export class Executions {
  readonly #calls: Calls;
  readonly #dispatcher: Dispatcher;

  constructor(calls: Calls, dispatcher: Dispatcher) {
    this.#calls = calls;
    this.#dispatcher = dispatcher;
  }

  /**
   * Executes it in a jail.
   * @param calledAt when the caller called, in milliseconds of `process.hrtime`
   * @throws as `Jail.safeExec`
   */
  async run<Content, Result>(
    command: Command,
    { code, write, args, end }: Execution<Content, Result>,
    limits: Limits,
    calledAt: number,
  ): Promise<Result> {
    const { given, pack, place } = this.#admit(command, code, args, limits);
    return this.#calls.track(async () => {
      // A waiting Python wakes up while globals are still being written.
      const isAnnounced = place.isIn && this.#dispatcher.announce(command, args, true);
      const written = write();
      const globalsJson = typeof written === 'string' ? written : await written;
      const encoded = encodeCode(code);
      const codeJson = typeof encoded === 'string' ? encoded : await encoded;
      const copying = copiedGiven(given);
      const copied = copying instanceof Promise ? await copying : copying;
      if (args.files.length > 0) {
        await checkFiles(args.files);
      }
      const turnAt = place.isIn ? calledAt : await place.turn();
      const reader = new AnswerReader(end.read);
      const { result, channel, gone } = await this.#dispatcher.run(
        Object.assign(pack(copied), {
          isAnnounced,
          queuedMs: place.waitedMs,
          request: encodeRequest(codeJson, globalsJson, args.pythonPath, args.functions),
          warm: searchedByTemplate(command, args, codeJson, globalsJson),
          onChannel: (bytes: Buffer) => {
            reader.foresee(bytes);
          },
        }),
        turnAt,
      );
      try {
        return await end.conclude(result, await reader.read(result, channel));
      } finally {
        await gone?.();
      }
    }, place);
  }

  /**
   * Executes it without any confinement, and without limits.
   * @throws as `Jail.notSafeExec`
   */
  async runUnconfined<Content, Result>(
    command: Command,
    { code, write, args, end }: Execution<Content, Result>,
    share: HostShare,
  ): Promise<Result> {
    const { given, pack, place } = this.#admit(command, code, args, ZERO_LIMITS);
    return this.#calls.track(async () => {
      const globalsJson = await write();
      const copied = await copiedGiven(given);
      await checkFiles(args.files);
      if (!place.isIn) {
        await place.turn();
      }
      const { python, ...plan } = await command.unconfined(share);
      requirePython(args.command, python);
      const request = encodeRequest(
        await encodeCode(code),
        globalsJson,
        args.pythonPath,
        args.functions,
      );
      const { result, channel } = await runUnconfined(
        Object.assign(pack(copied), { request, queuedMs: place.waitedMs }),
        plan,
      );
      return end.conclude(result, await new AnswerReader(end.read).read(result, channel));
    }, place);
  }

  /** Lets one in: the runner is its program. */
  #admit(command: Command, code: string, args: SafeExecArguments, limits: Limits): Admitted {
    const { functions, slug, extraFiles } = args;
    // A Python that a program starts finds the program where its name says (multiprocessing/spawn.py).
    const isFile =
      command.options.allowExec && !extraFiles.some(({ name }) => name === EXEC_PROGRAM_NAME);
    const program = isFile ? [{ name: EXEC_PROGRAM_NAME, content: code }] : [];
    return this.#calls.admit(command, args, limits, {
      files: [RUNNER, ...program, ...extraFiles],
      conversation: functions.length === 0 ? undefined : new HostCalls(functions, slug),
      hasCode: true,
      isPython: true,
    });
  }
}
