// What one case showed about a submission: a verdict, and the reason in plain words.
import { plainText } from './plain-text.mjs';

const MEBIBYTE = 1024 * 1024;
const REASON_LENGTH = 90;

const seconds = (number) => `${number} s`;
const mebibytes = (number) => `${Math.round((number / MEBIBYTE) * 10) / 10} MiB`;

const exceededFindings = {
  cpu: (allowed) => ['time limit', `did not finish within ${seconds(allowed)} of CPU time`],
  realtime: (allowed) => ['time limit', `did not finish within ${seconds(allowed)}`],
  memory: (allowed) => ['memory limit', `used more than ${mebibytes(allowed)} of memory`],
  fsize: (allowed) => ['disk limit', `wrote a file of more than ${mebibytes(allowed)}`],
  disk: (allowed) => ['disk limit', `wrote more than ${mebibytes(allowed)} to disk`],
  files: (allowed) => ['disk limit', `made more than ${allowed} files`],
  output: (allowed) => ['output limit', `printed more than ${mebibytes(allowed)}`],
};

function exceptionFinding({ type, message, traceback }, limits) {
  const said = plainText(message, REASON_LENGTH).replace(/ \(submission\.py, line \d+\)$/, '');
  const line = [...traceback.matchAll(/submission\.py", line (\d+)/g)].at(-1)?.[1];
  const where = line === undefined ? '' : ` in line ${line}`;
  switch (type) {
    case 'MemoryError':
      return exceededFindings.memory(limits.memory);
    case 'BlockingIOError':
      return ['task limit', `tried to run more than ${limits.nproc} processes at once`];
    case 'PermissionError':
      return ['denied', `tried what a jail forbids${where}: ${said}`];
    case 'ProcessLookupError':
      return ['denied', `tried to reach processes that a jail hides${where}: ${said}`];
    default:
  }
  if (type === 'FileNotFoundError' && message.includes(": '/")) {
    return ['denied', `tried to open what a jail hides${where}: ${said}`];
  }
  return ['crashed', `${plainText(type, 40)}${where}: ${said}`];
}

/**
 * What a failed run shows.
 * @param {import('codejail').SafeExecError} error
 * @param {import('codejail').Limits} limits the limits that were in force
 * @returns {{ verdict: string, reason: string }}
 */
export function findingOfFailure({ result, exception }, limits) {
  const [verdict, reason] = (() => {
    if (result.exceeded !== null) {
      return exceededFindings[result.exceeded.limit](result.exceeded.allowed);
    }
    if (result.outcome === 'signaled') {
      return ['crashed', `was ended by ${result.signal ?? `signal ${-result.status}`}`];
    }
    if (exception !== null) {
      return exceptionFinding(exception, limits);
    }
    if (result.status !== 0) {
      return ['crashed', `ended with status ${result.status} and without an answer`];
    }
    return ['tampered', 'ended before it could answer, or wrote where only its answer goes'];
  })();
  return { verdict, reason };
}
