// The spec of a template's cells.
import type { Confinement } from '../confinement/plan';
import { ZERO_LIMITS, type DiskLimits } from '../limits';
import { RecordKind, SpecFlag, type NativeSpec } from '../native/spec';
import type { JailFile } from './files';
import { nativeLimits } from './limits';
import {
  appArmorRecords,
  directoryRecords,
  hostPart,
  landlockRecords,
  UNLISTABLE_DIRECTORY,
} from './records';

const MEBIBYTE = 1024 * 1024;

// More than a call brings that a cell may serve (lib/warm/rule.ts).
const CELL_DIRECTORY_SIZE = { first: 32 * MEBIBYTE, second: 8192 };

/**
 * Builds the spec of a template's cells: what is a cell's own, over a copy of its template's root.
 * @param directory the cell's own
 * @param confinement the cell's, by `planWarm`
 * @param files what every call finds in its directory
 * @param isUrgent whether it is wanted at once: then nothing is done ahead that only makes calls faster
 */
export function buildCellSpec(
  directory: string,
  confinement: Confinement,
  limits: DiskLimits,
  files: readonly JailFile[],
  isUrgent: boolean,
): NativeSpec {
  return {
    ...hostPart(confinement),
    flags: confinement.flags | (isUrgent ? SpecFlag.urgent : 0),
    // The call's own are given to the cell when the call begins.
    ...nativeLimits({ ...ZERO_LIMITS, ...limits }, confinement),
    records: [
      { kind: RecordKind.workingDirectory, path: directory },
      { kind: RecordKind.tmpDirectory, path: `${directory}/tmp` },
      { kind: RecordKind.proc, path: '/proc' },
      { kind: RecordKind.tmpfs, path: '/tmp', mode: UNLISTABLE_DIRECTORY, ...CELL_DIRECTORY_SIZE },
      ...directoryRecords(directory, { files, copies: [] }, { ...limits, input: 0 }),
      ...landlockRecords({ binds: [], links: [] }, directory, confinement),
      ...appArmorRecords(confinement),
    ],
  };
}
