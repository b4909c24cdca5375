// How much of this host calls may take: by its processors, its memory and the descriptors of this process.
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { processors } from '../host/processors';

/** What there is. */
export interface HostSupply {
  processors: number;
  /** Bytes that programs could be given. */
  memoryBytes: number;
  /** Descriptors that this process may have. */
  descriptors: number;
}

/** How many calls may run at a time. */
export interface Capacity {
  /** As many as get on well together. */
  usual: number;
  /** With more, some would fail for want of descriptors. */
  most: number;
}

// Enough to keep every processor busy while others are set up, end, or wait for input. With more at a time each gets
// less of a processor, and meets its limit `realtime` for that alone.
const CALLS_A_PROCESSOR = 4;
// Programs that wait for each other, or for their server, have to run at a time.
const FEWEST = 8;
// What a Python with a few modules takes; where limits allow more, few take it.
const BYTES_A_CALL = 64 * 1024 * 1024;
// A cell holds 9 and up to 14 while it runs, a new jail 5, and 20 for the moment in which it is made.
const DESCRIPTORS_A_CALL = 16;
/** What is left to the server itself. */
const SERVER_SHARE = 0.5;

/** What a host with this supply is fit for; at least one call. */
export function capacityOf({ processors: cores, memoryBytes, descriptors }: HostSupply): Capacity {
  const share = (all: number, each: number): number =>
    Math.max(1, Math.floor((all * (1 - SERVER_SHARE)) / each));
  const most = share(descriptors, DESCRIPTORS_A_CALL);
  const byProcessors = Math.max(FEWEST, CALLS_A_PROCESSOR * cores);
  return { usual: Math.min(byProcessors, share(memoryBytes, BYTES_A_CALL), most), most };
}

/** The soft limit of descriptors, by /proc/self/limits; Infinity where it says nothing. */
export function descriptorLimit(limits: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

function memoryBytes(): number {
  // MemAvailable, which counts what the kernel can take back; a container's own count of use does not.
  const available = freemem();
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(available, limit) : available;
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

/** What this host has now. */
export function readHostSupply(): HostSupply {
  return {
    processors: processors(),
    memoryBytes: memoryBytes(),
    descriptors: descriptorLimit(readLimits()),
  };
}
