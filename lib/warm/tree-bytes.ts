// What a process and its children hold in memory of their own.
import { readFileSync } from 'node:fs';

const KIBIBYTE = 1024;

function ownBytes(process: number): number {
  const status = readFileSync(`/proc/${process}/status`, 'latin1');
  // Not the pages of files, which the host has once for all.
  return ['RssAnon', 'RssShmem', 'VmPTE']
    .map((name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0))
    .reduce((sum, kibibytes) => sum + kibibytes * KIBIBYTE, 0);
}

/**
 * The anonymous memory and page tables of a process and its direct children, in bytes; 0 where it has
 * ended. Reads a few files of /proc, at once.
 */
export function treeBytes(process: number): number {
  try {
    const children = readFileSync(`/proc/${process}/task/${process}/children`, 'latin1');
    const numbers = children.split(' ').filter((text) => text !== '');
    return [process, ...numbers.map(Number)].map(ownBytes).reduce((sum, bytes) => sum + bytes, 0);
  } catch {
    return 0;
  }
}
