// Settings of the host that decide what a crash, and what a hidden process, may do outside of a jail.
import { readFileSync } from 'node:fs';
import { Namespace, SpecFlag } from '../native/spec';
import type { Confinement } from './plan';

/** What the kernel does with the memory of a program that crashes (core(5)). */
export type CoreHandler = 'file' | 'pipe' | 'socket';

/** What they are now: root may change them at any time. */
export interface HostSettings {
  coreHandler: CoreHandler;
  /** Whether a program may hide from the sums: /proc shows a process only to those who may trace it. */
  hidesProcesses: boolean;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** Whom a core pattern hands the dump to; a pattern that can't be read could be anybody's. */
export function coreHandlerOf(pattern: string | undefined): CoreHandler {
  if (pattern === undefined || pattern.startsWith('|')) {
    return 'pipe';
  }
  // Since Linux 6.16.
  return pattern.startsWith('@') ? 'socket' : 'file';
}

/** Whether the last mount on /proc has `hidepid` (proc(5)); one that can't be told is taken to have it. */
export function hidesProcessesIn(mountinfo: string | undefined): boolean {
  const last = mountinfo
    ?.split('\n')
    .filter((line) => line.split(' ')[4] === '/proc')
    .at(-1);
  return last === undefined || /[ ,]hidepid=(?!0\b|off\b)/.test(last);
}

/**
 * Reads them anew, as far as they matter to jails of this confinement.
 * @returns `hidesProcesses` only where others' sums are taken from the host's /proc, of programs that could hide there
 */
export function hostSettings({
  flags,
  namespaces,
  cgroup,
}: Pick<Confinement, 'flags' | 'namespaces' | 'cgroup'>): HostSettings {
  const canHide =
    (namespaces & Namespace.pid) === 0 &&
    cgroup === undefined &&
    (flags & SpecFlag.allowExec) !== 0;
  return {
    coreHandler: coreHandlerOf(readText('/proc/sys/kernel/core_pattern')),
    hidesProcesses: canHide && hidesProcessesIn(readText('/proc/self/mountinfo')),
  };
}
