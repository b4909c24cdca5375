// One cold call: a new process, confined from its first instruction on, and nothing of it afterwards.
import { SetupError } from '../errors';
import { withLength } from '../json/text-buffers';
import { native, type NativeEvent } from '../native/addon';
import { SpecFlag } from '../native/spec';
import { thrownByAddon } from '../native/failure';
import { noExecAdvice } from '../native/no-exec';
import { spawnJail } from '../native/spawn';
import { Outputs } from '../run/outputs';
import { RequestWriter } from '../run/request-writer';
import type { RunResult } from '../run/conclusion';
import { Run } from '../run/run';
import type { Call } from '../spec/call';
import { buildSpec, type JailPlan } from '../spec/spec';
import { now } from '../time/clock';
import { explainCopyFailure } from './copy-failure';
import { removeHostDirectory, sweepHostDirectories } from './host-directory';
import { areLong, storeFiles } from './stored-files';

const START_STEP = 'start the program';

/** Why a program that is there does not start, by what the kernel says of it (execve(2)). */
function execAdvice(errnoName: string | undefined, program: string): string | undefined {
  switch (errnoName) {
    case 'EACCES':
      return noExecAdvice(program, 'put the program elsewhere');
    case 'ENOENT':
      return `${program} is there, but not what runs it: the interpreter that its first line names after #!, or the loader of its libraries. Install that, or show it with readPaths`;
    case 'ENOEXEC':
      return `${program} is no program for this machine (${process.arch}): it is built for another one, cut off, or a script whose first line does not begin with #!`;
    case 'ELIBBAD':
      return `the interpreter of ${program} can't be run on this machine (${process.arch})`;
    case 'E2BIG':
      return `the arguments and the environment of ${program} are longer together than a quarter of limits.stack`;
    default:
      return undefined;
  }
}

function explainNoExec(error: unknown, program: string): unknown {
  if (!(error instanceof SetupError) || error.stepId !== 'execProgram') {
    return error;
  }
  const advice = execAdvice(error.errnoName, program);
  return advice === undefined
    ? error
    : new SetupError(START_STEP, error.errno ?? 0, { detail: advice, cause: error });
}

/** What does not go with the spec. */
interface Written {
  /** The descriptor that the program reads its request from. */
  request?: number;
  /** Of a program that asks while it runs: the other end. */
  writer?: RequestWriter;
  /** The descriptor of a spec that has its files already. */
  storedFiles?: number;
}

/** Writes a request that is too long for one turn of the event loop, or that goes on; a short one goes with the spec. */
async function writeRequest({ request, conversation }: Call): Promise<Written> {
  const { addon } = native();
  try {
    if (conversation !== undefined) {
      const { program, server } = addon.makeRequestPipe();
      return { request: program, writer: new RequestWriter(server) };
    }
    return typeof request === 'object' ? { request: await addon.writeRequest(request) } : {};
  } catch (cause) {
    throw thrownByAddon(cause);
  }
}

/** Writes the request of a program that asks while it runs, and answers it from now on. */
function converse({ request = '', conversation }: Call, writer: RequestWriter): void {
  writer.write(withLength(request));
  conversation?.begin((pieces, onWritten) => {
    writer.write(pieces, onWritten);
  });
}

/** Gives up what no jail has taken. */
function giveUp({ request, writer, storedFiles }: Written): void {
  for (const descriptor of [request, storedFiles]) {
    if (descriptor !== undefined) {
      native().addon.closeDescriptor(descriptor);
    }
  }
  writer?.close();
}

/** Writes all that does not go with the spec of a jail. */
async function writeAhead(
  call: Call,
  directory: string,
  areFilesStored: boolean,
): Promise<Written> {
  const stored = areFilesStored ? { storedFiles: await storeFiles(directory, call.files) } : {};
  try {
    return { ...(await writeRequest(call)), ...stored };
  } catch (error) {
    giveUp(stored);
    throw error;
  }
}

async function runOnce(call: Call, plan: JailPlan, calledAt: number): Promise<RunResult> {
  const areFilesStored = areLong(call.files);
  const spec = buildSpec(call, plan, areFilesStored);
  const written = await writeAhead(call, spec.directory, areFilesStored);
  // Whoever waited meanwhile may have given up.
  for (const signal of call.signals ?? []) {
    if (signal.aborted) {
      giveUp(written);
    }
    signal.throwIfAborted();
  }
  const { writer, ...given } = written;
  const onEvent = (event: NativeEvent): void => {
    if (event.type === 'started') {
      run.started(event.startedMs, spec.directory);
    } else if (event.type === 'attempt') {
      run.attempted(event);
    } else if (event.type === 'ended') {
      run.ended(event);
    }
  };
  let jail;
  try {
    jail = spawnJail({ ...spec.native, ...given }, onEvent);
  } catch (error) {
    // The rest is the addon's by now.
    writer?.close();
    throw error;
  }
  const outputs = new Outputs(jail);
  const run = new Run(jail, outputs, call, plan, calledAt);
  outputs.start();
  run.boundSetup();
  if (writer !== undefined) {
    converse(call, writer);
  }
  try {
    return await run.finish();
  } finally {
    writer?.close();
    if (spec.onHost) {
      const left = await removeHostDirectory(spec.directory);
      if (left !== undefined) {
        run.note('warn', left);
      }
    }
  }
}

/**
 * Runs one program in a jail of its own.
 * @param plan how jails of its command are made
 * @param calledAt when the caller called, in milliseconds of `process.hrtime`
 * @returns when every process of the jail is dead and reaped
 * @throws SetupError where a step failed and the program was not started; the signal's reason where
 *   the call was aborted; what a callback or the iterable of `stdin` threw; RangeError where there is no
 *   memory for what it writes
 */
export async function runCold(
  call: Call,
  plan: JailPlan,
  calledAt: number = now(),
): Promise<RunResult> {
  const { flags, uidPool } = plan.confinement;
  if ((flags & SpecFlag.ownRoot) === 0 && uidPool !== undefined) {
    await sweepHostDirectories(uidPool);
  }
  try {
    return await runOnce(call, plan, calledAt);
  } catch (error) {
    throw explainNoExec(
      await explainCopyFailure(error, call.copies, call.limits.input),
      plan.program,
    );
  }
}
