// The specs that a template's cells are made by. All cells of a template with the same limits have the same one, since each
// has a mount namespace of its own: so it is written and sealed once.
import type { Confinement } from '../confinement/plan';
import { sameDiskLimits, type DiskLimits } from '../limits';
import { native } from '../native/addon';
import { thrownByAddon } from '../native/failure';
import { RUNNER } from '../python/runner-file';
import { buildCellSpec } from '../spec/cell';

/** Makes specs, for cells of the limits that were asked for last. */
export class CellSpecs {
  readonly #directory: string;
  readonly #confinement: Confinement;
  readonly #sealed = new Map<boolean, number>();
  #limits: DiskLimits | undefined;

  /**
   * @param directory where each cell's program runs
   * @param confinement the cells'
   */
  constructor(directory: string, confinement: Confinement) {
    this.#directory = directory;
    this.#confinement = confinement;
  }

  /**
   * The descriptor of a cell's spec, until the next one is asked for.
   * @throws SetupError where it can't be made
   */
  of(limits: DiskLimits, isUrgent: boolean): number {
    if (this.#limits === undefined || !sameDiskLimits(limits, this.#limits)) {
      this.close();
      this.#limits = limits;
    }
    let sealed = this.#sealed.get(isUrgent);
    if (sealed === undefined) {
      // The runner is written ahead of the call, which then has less to do.
      const spec = buildCellSpec(this.#directory, this.#confinement, limits, [RUNNER], isUrgent);
      try {
        sealed = native().addon.sealSpec(spec);
      } catch (cause) {
        throw thrownByAddon(cause);
      }
      this.#sealed.set(isUrgent, sealed);
    }
    return sealed;
  }

  /** Closes what it holds. */
  close(): void {
    for (const descriptor of this.#sealed.values()) {
      native().addon.closeDescriptor(descriptor);
    }
    this.#sealed.clear();
  }
}
