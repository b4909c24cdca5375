// The program by which Python's ctypes.util.find_library lists the host's libraries.
import { open } from 'node:fs/promises';
import { throwIfPassing } from '../passing';
import { resolvePath, type ResolvedPath } from './paths';

/** How Python names it. Where it may start no program, PID 1 of the jail stands in for it. */
const PATH = '/sbin/ldconfig';

async function isScript(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1', 0, bytesRead) === '#!';
  } finally {
    await file.close();
  }
}

/**
 * Finds it; undefined where this host has none. Ubuntu's is a shell script that starts another one: that stands in its
 * place, since a jail need have no shell.
 */
export async function libraryList(path = PATH): Promise<ResolvedPath | undefined> {
  try {
    const found = await resolvePath(path);
    if (!(await isScript(found.real))) {
      return found;
    }
    const target = `${found.real}.real`;
    const { real } = await resolvePath(target);
    return { links: [...found.links, { path: found.real, target }], real };
  } catch (error) {
    throwIfPassing(error, 'look for ldconfig');
    return undefined;
  }
}
