// Which C library this process runs on: a binary fits one of them only.
import { existsSync, readFileSync } from 'node:fs';
import type { Platform } from './platforms';

const MUSL_LOADER = /\/ld-musl-[^/]*\.so/;

/** The C library of this process. */
export function libc(): Platform['libc'] {
  try {
    return MUSL_LOADER.test(readFileSync('/proc/self/maps', 'utf8')) ? 'musl' : 'glibc';
  } catch {
    // There may be no /proc.
    return existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
  }
}

/** It, with its version where it has one that it tells; for messages, since it takes milliseconds. */
export function libcAndVersion(): string {
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  if (report === undefined || libc() === 'musl') {
    return libc();
  }
  // It would ask for the name of each address that a socket is connected to.
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  report.excludeNetwork = excludeNetwork ?? false;
  return ['glibc', header?.glibcVersionRuntime].filter(Boolean).join(' ');
}
