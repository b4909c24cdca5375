// What a path of the host is made of: the symlinks on the way, and where it ends.
import { lstat, readlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

export interface ResolvedPath {
  /** Each symlink that was followed: where it stands, and its text. */
  links: { path: string; target: string }[];
  /** The path that the last one leads to, free of symlinks. */
  real: string;
}

const MAX_LINKS = 40;

/**
 * Follows a path component by component, as the kernel does.
 * @throws as `lstat` does, where a component is missing or can't be reached
 */
export async function resolvePath(path: string): Promise<ResolvedPath> {
  const links: ResolvedPath['links'] = [];
  let real = '/';
  const rest = resolve(path).split('/').filter(Boolean);
  while (rest.length > 0) {
    const name = rest.shift() ?? '';
    const next = join(real, name);
    if (!(await lstat(next)).isSymbolicLink()) {
      real = next;
      continue;
    }
    const target = await readlink(next);
    links.push({ path: next, target });
    if (links.length > MAX_LINKS) {
      throw Object.assign(new Error(`ELOOP: too many symbolic links in ${path}`), {
        code: 'ELOOP',
        errno: -40,
      });
    }
    rest.unshift(...resolve(dirname(next), target).split('/').filter(Boolean));
    real = '/';
  }
  return { links, real };
}
