// What of the host a jail shows.
import { throwIfPassing } from '../passing';
import { isWithin } from '../text/is-within';
import { resolvePath, type ResolvedPath } from './paths';
import { LOOKING } from './program';

/** Parts of the host that a jail shows, all read-only. */
export interface HostView {
  /** Files and directories, each free of symlinks, none within another. */
  binds: string[];
  /** The host's symlinks that lead to them. */
  links: { path: string; target: string }[];
}

/** Gathers it. */
export class ViewBuilder {
  readonly #binds: Set<string>;
  readonly #links: Map<string, string>;

  constructor(binds: Iterable<string> = [], links: Iterable<[string, string]> = []) {
    this.#binds = new Set(binds);
    this.#links = new Map(links);
  }

  copy(): ViewBuilder {
    return new ViewBuilder(this.#binds, this.#links);
  }

  async add(path: string, required: boolean): Promise<string | undefined> {
    try {
      return this.addResolved(await resolvePath(path));
    } catch (error) {
      // Else a library that is there would be missing from every jail of this process.
      throwIfPassing(error, LOOKING);
      if (required) {
        throw error;
      }
      return undefined;
    }
  }

  /** Adds the links to what is shown in any case. */
  async addIfShown(path: string): Promise<void> {
    const resolved = await resolvePath(path).catch(() => undefined);
    if (resolved !== undefined && [...this.#binds].some((bind) => isWithin(resolved.real, bind))) {
      this.addResolved(resolved);
    }
  }

  addResolved({ links, real }: ResolvedPath): string {
    for (const link of links) {
      this.#links.set(link.path, link.target);
    }
    if (real !== '/') {
      this.#binds.add(real);
    }
    return real;
  }

  build(): HostView {
    const sorted = [...this.#binds].sort();
    const binds = sorted.filter(
      (path) => !sorted.some((other) => other !== path && isWithin(path, other)),
    );
    const links = [...this.#links]
      .filter(([path]) => !binds.some((bind) => isWithin(path, bind)))
      .map(([path, target]) => ({ path, target }));
    return { binds, links };
  }
}
