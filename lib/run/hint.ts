import type { GuaranteeName } from '../guarantee-names';
import type { LimitName } from '../limits';

/** What a program that failed was probably kept from, and what would allow it. */
export interface Hint {
  /** The guarantee or limit that stood in the way; null where it is neither: a library is missing, for instance. */
  by: GuaranteeName | LimitName | null;
  /** What was tried, as far as the program has told. */
  tried: {
    /** In words or as a call: `write`, `connect`, `start a thread`. */
    call: string;
    /** Of the file, where it was one. */
    path: string | null;
    /** Bytes, or a count of what the limit counts. */
    size: number | null;
  };
  /** The option that would allow it: `limits.fsize`, `allowExec`; null where none does. */
  option: string | null;
  /** All of it in one sentence. What stands in it of the program's own is the program's word. */
  message: string;
}

const MOST_TOLD = 200;

/** What of a program's own is told of it. */
export function told(text: string): string {
  return text.length > MOST_TOLD ? `${text.slice(0, MOST_TOLD)}…` : text;
}

/** What was tried, as far as it is known. */
export type Tried = {
  [Name in keyof Hint['tried']]?: Exclude<Hint['tried'][Name], null> | undefined;
};

/** A hint; undefined: that there is none of it. */
export function newHint(
  by: Hint['by'] | undefined,
  option: string | undefined,
  message: string,
  { call = '', path, size }: Tried = {},
): Hint {
  const tried = { call, path: path ?? null, size: size ?? null };
  return { by: by ?? null, tried, option: option ?? null, message };
}
