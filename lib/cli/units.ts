// Numbers with units, as people write and read them.
import { InvalidArgumentError as InvalidOption } from 'commander';

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/**
 * Bytes: `1048576`, `1024k`, `1M`, `1MiB`.
 * @throws commander's error for a bad option
 */
export function parseBytes(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined) {
    throw new InvalidOption('Write bytes as 1048576, 1024K or 1M.');
  }
  return Math.round(Number(number) * (FACTORS[unit.toLowerCase()] ?? 1));
}

/**
 * Seconds: `2`, `0.5`, `500ms`, `2s`.
 * @throws commander's error for a bad option
 */
export function parseSeconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(s|ms)?$/.exec(text) ?? [];
  if (number === undefined) {
    throw new InvalidOption('Write seconds as 2, 0.5 or 500ms.');
  }
  return unit === 'ms' ? Number(number) / 1000 : Number(number);
}

/**
 * A whole number.
 * @throws commander's error for a bad option
 */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new InvalidOption('Write a whole number.');
  }
  return Number(text);
}

/** Bytes in the largest unit that keeps them above one: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = bytes === 1 ? 'byte' : 'bytes';
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1024) {
      break;
    }
    value /= 1024;
    unit = next;
  }
  return `${Math.round(value * 10) / 10} ${unit}`;
}

/** Seconds to the millisecond: `1.034 s`. */
export function formatSeconds(seconds: number): string {
  return `${Math.round(seconds * 1000) / 1000} s`;
}
