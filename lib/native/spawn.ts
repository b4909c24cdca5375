import { native, type NativeEvent, type NativeJail } from './addon';
import type { NativeSpec } from './spec';
import { thrownByAddon } from './failure';

/**
 * Starts the launcher of a jail.
 * @throws SetupError where this process may have no more descriptors or threads to make one with
 */
export function spawnJail(spec: NativeSpec, onEvent: (event: NativeEvent) => void): NativeJail {
  try {
    return native().addon.spawn(spec, onEvent);
  } catch (cause) {
    throw thrownByAddon(cause);
  }
}
