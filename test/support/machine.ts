// The marker of the throwaway virtual machine.
import { readFileSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether this is that machine: only its own start (scripts/machine/boot.mjs) gives its kernel this word. */
export const isTestMachine = read('/proc/cmdline').split(/\s+/).includes('codejail-test-machine');
