// The kernel that the suites of AppArmor need, and the marker of the throwaway machine.
import { readFileSync } from 'node:fs';
import { hostFacts } from '../../lib/host';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether this is the throwaway virtual machine: only its own start (scripts/machine/boot.mjs) sets the word. */
export const isTestMachine = read('/proc/cmdline').split(/\s+/).includes('codejail-test-machine');

const lacking = hostFacts().appArmor
  ? ''
  : ' (needs a kernel with AppArmor: npm run test:apparmor)';

/** `describe` where the kernel has AppArmor; elsewhere a skipped one that says so. */
export function describeWithAppArmor(name: string, body: () => void): void {
  if (lacking === '') {
    describe(name, body);
  } else {
    describe.skip(name + lacking, body);
  }
}
