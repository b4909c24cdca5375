// The kinds of machines that binaries are made for, the names of their packages, and what is in each.

/** A processor as `process.arch` names it, and the C library that Node and the jails' Pythons use. */
export interface Platform {
  readonly cpu: 'x64' | 'arm64';
  readonly libc: 'glibc' | 'musl';
}

/** Each has a package. */
export const PLATFORMS: readonly Platform[] = [
  { cpu: 'x64', libc: 'glibc' },
  { cpu: 'arm64', libc: 'glibc' },
  { cpu: 'x64', libc: 'musl' },
  { cpu: 'arm64', libc: 'musl' },
];

/** The oldest glibc that the binaries run on: of RHEL 8, Debian 10, Ubuntu 20.04. */
export const GLIBC_FLOOR = '2.28';

/** What a directory of binaries holds: a platform's package, or what was built here. */
export const BINARIES = {
  addon: 'codejail.node',
  launcher: 'codejail-launcher',
  probe: 'codejail-probe',
  /** The library that a warm Python loads. */
  cell: 'codejail-cell.so',
  /** The library by which a Python's output comes as it is printed. */
  output: 'codejail-output.so',
} as const;

/** The package with a platform's binaries; also of a processor that has none. */
export function packageName({ cpu, libc }: { cpu: string; libc: string }): string {
  return `@codejail/linux-${cpu}-${libc}`;
}
