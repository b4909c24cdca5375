// The files of a jail's directory.
import { sizeOf } from '../json/text-buffers';

/** A file, directory or symbolic link of the host that is copied into the jail. */
export interface HostFile {
  /** Its absolute path on the host. */
  path: string;
  /** Its name in the jail's directory. */
  name: string;
  /** The argument that named it, for errors. */
  argument?: string;
}

/** CodeJail's name for the program in the jail's directory: a call's code, or what runs it. */
export const PROGRAM_NAME = 'jailed_code';

/** The name of a safeExec's code in tracebacks. `runner.py` has the same. */
export const EXEC_PROGRAM_NAME = '<string>';

/** The writable directory in the jail's. */
export const TMP_NAME = 'tmp';

/** Many bytes, in pieces: to copy all of them at once would take the event loop for longer than a turn may. */
export class LongContent {
  /** Of all pieces, in bytes. */
  readonly length: number;

  constructor(readonly pieces: readonly Uint8Array[]) {
    this.length = sizeOf(pieces);
  }
}

/** What is in a file. */
export type Content = string | Uint8Array | LongContent;

/** The bytes of a file, one piece after the other. */
export function piecesOf(content: Content): readonly Uint8Array[] {
  if (content instanceof LongContent) {
    return content.pieces;
  }
  return [typeof content === 'string' ? Buffer.from(content) : content];
}

/** A file that is made inside the jail. */
export interface JailFile {
  /** Relative to the jail's directory. */
  name: string;
  content: Content;
  /** The permission bits. Default 0o644. Where the program may not write, nobody's includes writing. */
  mode?: number | undefined;
}

/** Where a program starts, relative to the jail's directory. */
export type StartDirectory = '.' | 'tmp';

/** Whether a file or directory of the jail's directory is in `tmp`, where it is the program's own. */
export function isInTmp(name: string): boolean {
  return name.startsWith(`${TMP_NAME}/`);
}

/** The files of a call but its code, or what runs it. */
export function withoutProgram<File extends { name: string }>(files: readonly File[]): File[] {
  return files.filter(({ name }) => name !== PROGRAM_NAME);
}

/** How the program's file is named from there. */
export function programFrom(cwd: StartDirectory): string {
  return cwd === '.' ? PROGRAM_NAME : `../${PROGRAM_NAME}`;
}

/** The directories that must be there before a file of this name can be. */
export function parents(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}
