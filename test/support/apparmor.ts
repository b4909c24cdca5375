// Where the suites of AppArmor can run.
import { hostFacts } from '../../lib/host/host';

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
