// Cells whose memory a process outside of them keeps.
import type { Cell } from '../../lib/warm/cell';
import type { Template } from '../../lib/warm/template';
import { gone, statusField } from './processes';
import { execIn, LIMITS } from './warm';

export interface Kept {
  cell: Cell;
  keeper: string;
}

/** Makes a cell, and tells which of these keepers is its. */
export async function makeKeptCell(template: Template, keepers: () => string[]): Promise<Kept> {
  const before = new Set(keepers());
  const cell = await template.makeCell(LIMITS);
  const added = keepers().filter((process) => !before.has(process));
  expect(added).toHaveLength(1);
  return { cell, keeper: added[0]! };
}

/** A keeper goes with its cell, whether that served a call or not. */
export async function expectToGoWithItsCell(make: () => Promise<Kept>): Promise<void> {
  const served = await make();
  const discarded = await make();
  await execIn(served.cell, 'a = 17');
  expect(await gone(served.keeper)).toBe(true);
  expect(statusField(discarded.keeper, 'State')).toMatch(/^S/);
  await discarded.cell.discard();
  expect(await gone(discarded.keeper)).toBe(true);
}
