// What tools answer, as the protocol's content. All of it may be hostile code's.
import type { Display, SessionLostError, SessionLostReason, StepResult } from '../index';
import { PICTURE_TYPES, pictureType } from './picture';

/** A part of an answer. */
export type Content =
  | { type: 'text'; text: string }
  | { type: 'image'; mimeType: string; data: string }
  | { type: 'resource'; resource: { uri: string; mimeType: string; blob: string } };

/** An answer. */
export interface Answer {
  [more: string]: unknown;
  content: Content[];
  isError?: boolean;
}

/** What models are shown as images. */
const IMAGES: ReadonlySet<string> = new Set(PICTURE_TYPES);

const LOST: Readonly<Record<SessionLostReason, string>> = {
  idle: 'it was not used for too long',
  memory: 'it held more memory than it may',
  cpu: 'what it had left running used too much CPU time',
  ended: 'a step ended its process, and there was no earlier state to go back to',
  hung: 'its process did not answer any more',
  killed: 'its processes were killed',
};

/** That all variables are gone, and why. */
export function lossText({ reason }: SessionLostError): string {
  return `The Python session was lost, with all its variables and files: ${LOST[reason]}.`;
}

/** A text of at most so many characters: its beginning and its end, and between them how much is left out. */
function shortened(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const half = Math.floor(most / 2);
  const [begin, end] = [text.slice(0, half), text.slice(text.length - half)];
  return `${begin}\n… ${text.length - begin.length - end.length} characters left out …\n${end}`;
}

/** A part in words, after what it is. */
export function textOf(text: string, most: number, title?: string): Content {
  const shown = shortened(text, most).toWellFormed();
  return { type: 'text', text: title === undefined ? shown : `${title}:\n${shown}` };
}

function displayOf({ mime, data }: Display, most: number): Content {
  return typeof data !== 'string' && IMAGES.has(mime)
    ? { type: 'image', mimeType: mime, data: data.toString('base64') }
    : textOf(data.toString(), most, mime);
}

/** Why a step ended otherwise than its code does; empty where it did not. */
function endingOf({ outcome, status, signal, exceeded, hints }: StepResult): string[] {
  const ended =
    outcome === 'exited'
      ? status === 0
        ? []
        : [`The process ended with status ${status}.`]
      : exceeded === null
        ? [`The process was ended by ${signal ?? `signal ${-status}`}.`]
        : [`Stopped: ${outcome}.`];
  return [...ended, ...hints.map(({ message }) => message)];
}

/**
 * What a step gave.
 * @param most characters of each text
 * @param lost why the variables of earlier steps were not there
 */
export function stepAnswer(
  result: StepResult,
  most: number,
  lost: SessionLostError | undefined,
): Answer {
  const { stdout, stderr, value, display, exception, state } = result;
  const content: Content[] = [];
  if (lost !== undefined) {
    content.push(textOf(`${lossText(lost)} This ran in a new one.`, most));
  }
  const [printed, aside] = [stdout.toString(), stderr.toString()];
  if (printed !== '') {
    content.push(textOf(printed, most, 'stdout'));
  }
  if (aside !== '') {
    content.push(textOf(aside, most, 'stderr'));
  }
  if (value !== null) {
    content.push(textOf(value, most, 'value'));
  }
  content.push(...display.map((shown) => displayOf(shown, most)));
  if (exception !== null) {
    const { type, message, line } = exception;
    const where = line === null ? '' : ` (line ${line})`;
    content.push(textOf(`${type}: ${message}${where}`, most, 'exception'));
  }
  const ending = exception === null ? endingOf(result) : result.hints.map(({ message }) => message);
  if (state === 'rolled back') {
    ending.push('Variables are as they were before this code.');
  }
  if (ending.length > 0) {
    content.push(textOf(ending.join('\n'), most));
  }
  if (content.length === 0) {
    content.push({ type: 'text', text: 'Done: nothing was printed, and there is no value.' });
  }
  const isWell = exception === null && result.status === 0 && result.outcome === 'exited';
  return { content, ...(isWell ? {} : { isError: true }) };
}

/** A file, as what it is by its bytes: an image, text, or neither. */
export function fileContent(path: string, bytes: Buffer, most: number): Content {
  const picture = pictureType(bytes);
  if (picture !== undefined) {
    return { type: 'image', mimeType: picture, data: bytes.toString('base64') };
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) {
      return textOf(text, most);
    }
  } catch {
    // No text, then.
  }
  const uri = `codejail:///${path.split('/').map(encodeURIComponent).join('/')}`;
  const mimeType = 'application/octet-stream';
  return { type: 'resource', resource: { uri, mimeType, blob: bytes.toString('base64') } };
}
