// The files of a jail's directory.

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

/** A file that is made inside the jail. */
export interface JailFile {
  /** Relative to the jail's directory. */
  name: string;
  content: string | Uint8Array;
}

/** The directories that must be there before a file of this name can be. */
export function parents(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}
