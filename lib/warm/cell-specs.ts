// The specs that a template's cells are made by. They differ in little, and to write one takes as long as all else that
// the server does for a cell: so it is written once, and copied.
import type { Confinement } from '../confinement';
import { native } from '../native';
import { RUNNER } from '../runner-file';
import { buildCellSpec, newDirectory } from '../spec';
import { areEqual, type CellLimits } from './generation';

// As long as a directory's path, and none.
const PLACEHOLDER = newDirectory().replace(/.{8}$/, '########');

/** A spec with the placeholder in it, and where that is. */
interface Pattern {
  bytes: Buffer;
  places: number[];
}

function placesOf(text: string, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) {
    places.push(at);
  }
  return places;
}

/** Makes specs, for cells of the limits that were asked for last. */
export class CellSpecs {
  readonly #confinement: Confinement;
  readonly #patterns = new Map<boolean, Pattern>();
  #limits: CellLimits | undefined;

  /** @param confinement the cells' */
  constructor(confinement: Confinement) {
    this.#confinement = confinement;
  }

  /** The spec of a cell with that directory. */
  make(directory: string, limits: CellLimits, isUrgent: boolean): Buffer {
    if (this.#limits === undefined || !areEqual(limits, this.#limits)) {
      this.#patterns.clear();
      this.#limits = limits;
    }
    let pattern = this.#patterns.get(isUrgent);
    if (pattern === undefined) {
      // The runner is written ahead of the call, which then has less to do.
      const spec = buildCellSpec(PLACEHOLDER, this.#confinement, limits, [RUNNER], isUrgent);
      const bytes = native().addon.specBytes(spec);
      pattern = { bytes, places: placesOf(PLACEHOLDER, bytes) };
      this.#patterns.set(isUrgent, pattern);
    }
    const bytes = Buffer.from(pattern.bytes);
    for (const place of pattern.places) {
      bytes.write(directory, place, 'latin1');
    }
    return bytes;
  }
}
