// Which paths of the host a jail may show.
import { InvalidArgumentError } from '../errors';
import { resolvePath, type ResolvedPath } from './paths';

/**
 * Why no jail may show a path; undefined where one may.
 * @param path absolute and normalized; what it names once its links are followed is to be asked for too
 */
export function whyNeverShown(path: string): string | undefined {
  if (path === '/') {
    return 'must not be /: it would show the whole host to the jail';
  }
  const kernelDirectory = /^\/(proc|sys|dev)(?=\/|$)/.exec(path)?.[0];
  return kernelDirectory === undefined
    ? undefined
    : `must not be in ${kernelDirectory}: it would show other processes or devices to the jail`;
}

/**
 * Follows the links of a path that is to be shown, and checks where they lead.
 * @param argument its name in errors
 * @throws InvalidArgumentError where it is missing, can't be reached, or leads to what no jail may show
 */
export async function resolveShown(path: string, argument: string): Promise<ResolvedPath> {
  let resolved: ResolvedPath;
  try {
    resolved = await resolvePath(path);
  } catch (error) {
    throw new InvalidArgumentError(
      argument,
      `names ${path}, which can't be read: ${(error as Error).message}`,
      error,
    );
  }
  const problem = whyNeverShown(resolved.real);
  if (problem !== undefined) {
    throw new InvalidArgumentError(
      argument,
      `names ${path}, which is ${resolved.real}, and ${problem}`,
    );
  }
  return resolved;
}
