// What AppArmor is like on this host.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Abi } from './profile';

/** Where profiles are kept. */
export const PROFILE_DIRECTORY = '/etc/apparmor.d';
const FEATURES = '/sys/kernel/security/apparmor/features';

/**
 * The newest version of policy that both the parser and the kernel of this host know, or undefined where there is no
 * AppArmor to speak of.
 */
export function hostAbi(): Abi | undefined {
  const knows = (abi: Abi): boolean => existsSync(join(PROFILE_DIRECTORY, 'abi', abi));
  let mask = '';
  try {
    mask = readFileSync(join(FEATURES, 'namespaces', 'mask'), 'utf8');
  } catch {
    // Kernels before Linux 6.7 have no such file.
  }
  if (knows('4.0') && mask.includes('userns_create')) {
    return '4.0';
  }
  return knows('3.0') ? '3.0' : undefined;
}
