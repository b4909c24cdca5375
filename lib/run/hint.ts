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
    path: string | null;
    /** Bytes, or a count of what the limit counts. */
    size: number | null;
  };
  /** The option that would allow it: `limits.fsize`, `allowExec`; null where none does. */
  option: string | null;
  /** All of it in one sentence. What stands in it of the program's own is the program's word. */
  message: string;
}
