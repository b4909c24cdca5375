// What of a program's globals does not come back: a list before them, on the same channel.
import { parseJson, SHORT_LENGTH } from '../json/parse';
import { isJsonObject, textOrNone } from '../json/value';

/** A global that JSON can't carry, and that so did not come back. */
export interface OmittedGlobal {
  /** Its name; `...` in the last one of too many to be listed. */
  name: string;
  /** The name of its type, in Python: `set`, `module`, `DataFrame`. */
  type: string;
  /** In words: `JSON has no set`, `Circular reference detected`. */
  why: string;
}

const OMITTED = 0x4f; // 'O'
const LINE_BREAK = 0x0a;

/** Where the answer begins behind the list, or 0 where there is none. Of a longer list none is taken. */
function lengthOf(channel: Uint8Array): number {
  return channel[0] === OMITTED ? channel.subarray(0, SHORT_LENGTH).indexOf(LINE_BREAK) + 1 : 0;
}

/** The answer itself, without what was left out. */
export function withoutOmitted<Bytes extends Uint8Array>(channel: Bytes): Bytes {
  return channel.subarray(lengthOf(channel)) as Bytes;
}

/**
 * What the runner has left out.
 * @param channel all that has come
 * @throws {JsonSyntaxError} where it is no JSON: the channel is in the hands of the program
 */
export function readOmitted(channel: Uint8Array): OmittedGlobal[] {
  const length = lengthOf(channel);
  if (length === 0) {
    return [];
  }
  const list = parseJson(Buffer.from(channel.subarray(1, length)).toString('latin1'));
  return Array.isArray(list)
    ? list.filter(isJsonObject).map(({ name, type, why }) => ({
        name: textOrNone(name),
        type: textOrNone(type),
        why: textOrNone(why),
      }))
    : [];
}
