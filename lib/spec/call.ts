// One call, as it goes whole from its checked options to whatever runs it.
import type { JsonText } from '../json/text-buffers';
import type { RunCall } from '../run/run-call';
import type { HostFile, JailFile, StartDirectory } from './files';

/** What a program is run for and with, cold, warm or unconfined. Packed once: what runs it takes what it needs. */
export interface Call extends RunCall {
  /** The words after the command's own; the program's name first, where there is one. */
  argv: readonly string[];
  /** The call's own environment. */
  env: Readonly<Record<string, string>>;
  /** Where the program starts. */
  cwd: StartDirectory;
  /** What is copied in from the host. */
  copies: readonly HostFile[];
  /** What is written into the jail's directory. */
  files: readonly JailFile[];
  /** Handed over as descriptor 3, with a result channel as descriptor 4. */
  request?: JsonText | undefined;
  /** Whether what the program tries in vain is told. */
  explain: boolean;
}

/** What a call has that asks for nothing but its program and its limits. */
export const PLAIN_CALL = Object.freeze({
  ...{ argv: [], env: {}, cwd: '.', copies: [], files: [], collect: [] },
  explain: false,
} satisfies Omit<Call, 'limits'>);
