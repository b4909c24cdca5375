// Files of a call that are too long, or too many, to be written in one turn of the event loop.
import { native } from '../native/addon';
import type { FileRecord } from '../native/spec';
import { thrownByAddon } from '../native/failure';
import { LongContent, type JailFile } from '../spec/files';
import { storedRecords } from '../spec/records';

/** More files than that are long too: each takes a moment. */
const MANY_FILES = 512;
const BATCH_FILES = 512;

/** Whether the files of a call are to be written ahead of its spec. */
export function areLong(files: readonly JailFile[]): boolean {
  return files.length > MANY_FILES || files.some(({ content }) => content instanceof LongContent);
}

async function append(descriptor: number, records: Iterable<FileRecord>): Promise<void> {
  const { addon } = native();
  let batch: FileRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length === BATCH_FILES) {
      await addon.appendFiles(descriptor, batch);
      batch = [];
    }
  }
  await addon.appendFiles(descriptor, batch);
}

/**
 * Writes files into the beginning of a spec; the event loop goes on meanwhile.
 * @param directory the jail's
 * @returns the spec's descriptor, for the addon, or to be closed
 * @throws SetupError where it can't be made
 */
export async function storeFiles(directory: string, files: readonly JailFile[]): Promise<number> {
  const { addon } = native();
  let descriptor: number | undefined;
  try {
    descriptor = addon.openFiles();
    await append(descriptor, storedRecords(directory, files));
    return descriptor;
  } catch (cause) {
    if (descriptor !== undefined) {
      addon.closeDescriptor(descriptor);
    }
    throw thrownByAddon(cause);
  }
}
