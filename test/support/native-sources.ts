// The native half's sources, read for what they have to agree on with others.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where this package is. */
export const ROOT = join(__dirname, '..', '..');

/** A source without its comments. */
export function sourceOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll(/\/\/.*$/gm, '');
}

/** What is between two parts of a source. */
export function between(source: string, start: RegExp, end: string): string {
  const found = start.exec(source);
  if (found === null) {
    throw new Error(`there is no ${String(start)}`);
  }
  const from = found.index + found[0].length;
  return source.slice(from, source.indexOf(end, from));
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
/** `twoWords` of `two_words`. */
export const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());

/** The names and numbers of an enum, the `k` of each taken away. */
export function enumOf(path: string, name: string): Record<string, number> {
  const body = between(sourceOf(path), new RegExp(`enum (?:class )?${name}\\b[^{;]*\\{`), '}');
  let next = 0;
  const entries = body
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry): [string, number] => {
      const parts = /^k(\w+)(?:\s*=\s*(?:1U << (\d+)U))?$/.exec(entry);
      if (parts === null) {
        throw new Error(`${path} has an entry that is not understood: ${entry}`);
      }
      const value = parts[2] === undefined ? next : 2 ** Number(parts[2]);
      next = value + 1;
      return [lowerFirst(parts[1]!), value];
    });
  return Object.fromEntries(entries);
}

const WIDTHS: Record<string, number> = { 'std::uint32_t': 4, CallKind: 4, 'std::uint64_t': 8 };

export interface Layout {
  /** Where each member begins. */
  at: Record<string, number>;
  /** How many bytes each has. */
  widths: Record<string, number>;
  size: number;
}

/** How a struct lies in memory, by the alignment of the platform's ABI. */
export function layoutOf(path: string, name: string): Layout {
  const body = between(sourceOf(path), new RegExp(`struct ${name} \\{`), '};');
  const at: Record<string, number> = {};
  const widths: Record<string, number> = {};
  let size = 0;
  const members = [...body.matchAll(/^\s*([\w:]+) (\w+);\s*?$/gm)].flatMap(([, type, member]) =>
    type === 'Rlimits'
      ? rlimitNames().map((limit) => ['std::uint64_t', limit] as const)
      : [[type!, member!] as const],
  );
  for (const [type, member] of members) {
    const width = WIDTHS[type];
    if (width === undefined) {
      throw new Error(`${path} has a type of unknown width: ${type}`);
    }
    size = Math.ceil(size / width) * width;
    at[member] = size;
    widths[member] = width;
    size += width;
  }
  return { at, widths, size: Math.ceil(size / 8) * 8 };
}

/** The limits of setrlimit(2) of the one table of them. */
export function rlimitNames(): string[] {
  const rows = between(
    sourceOf('native/core/rlimits.h'),
    /constexpr Rlimit kRlimits\[\] = \{/,
    '};',
  );
  return [...rows.matchAll(/^\s*\{(\w+), "(\w+)",/gm)].map(([, resource, name]) => {
    expect(name).toBe(resource);
    return name!;
  });
}

/** A constant of a source: a number, or the code of a character. */
export function constantOf(path: string, name: string): number {
  const [, value] = new RegExp(`\\b${name} = ([^;]+);`).exec(sourceOf(path)) ?? [];
  if (value === undefined) {
    throw new Error(`${path} has no ${name}`);
  }
  const [, letter] = /^'(.)'$/.exec(value) ?? [];
  return letter === undefined ? Number(value) : letter.charCodeAt(0);
}

/** All members but one, which has to be there. */
export function without(members: Record<string, number>, name: string): Record<string, number> {
  expect(members).toHaveProperty(name);
  return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
}
