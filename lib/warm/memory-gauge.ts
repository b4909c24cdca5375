// Whether the host is short of memory.
import { readFileSync } from 'node:fs';
import { now } from '../time/clock';

// Reading takes some 50 µs; memory does not vanish faster than this.
const READING_IS_VALID_MS = 500;
// A share of time, in percent, in which some task waited for memory (Documentation/accounting/psi.rst).
const STALLED_PERCENT = 10;

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // No PSI before Linux 4.20 or with psi=0; no /proc in some sandboxes: then nothing is known.
    return '';
  }
}

/** Bytes that programs could still be given, by /proc/meminfo; Infinity where it says nothing. */
export function availableBytes(meminfo: string): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kilobytes === undefined ? Number.POSITIVE_INFINITY : Number(kilobytes) * 1024;
}

/** Percent of the last ten seconds in which some task waited for memory, by /proc/pressure/memory. */
export function stalledPercent(pressure: string): number {
  return Number(/^some avg10=([\d.]+)/m.exec(pressure)?.[1] ?? 0);
}

/** Reads the host's memory, at most twice a second and only when asked. */
export class MemoryGauge {
  readonly #reserve: number;
  readonly #read: (path: string) => string;
  #readAt = Number.NEGATIVE_INFINITY;
  #short = false;

  /**
   * @param reserve bytes that shall stay available
   * @param read gives the text of a file of /proc, or nothing
   */
  constructor(reserve: number, read: (path: string) => string = readText) {
    this.#reserve = reserve;
    this.#read = read;
  }

  /** Whether nothing should be made ahead of need. */
  isShort(): boolean {
    if (now() - this.#readAt >= READING_IS_VALID_MS) {
      this.#readAt = now();
      this.#short =
        availableBytes(this.#read('/proc/meminfo')) < this.#reserve ||
        stalledPercent(this.#read('/proc/pressure/memory')) > STALLED_PERCENT;
    }
    return this.#short;
  }
}
