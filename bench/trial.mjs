// A trial before the measurement: a sandbox that is installed may still not work on this host.
import { ESSENTIAL } from './contenders.mjs';

/**
 * Lets everyone run every program once.
 * @param {import('./server.mjs').Server} server
 * @param {import('./programs.mjs').Program[]} programs
 * @returns {Promise<{ usable: string[], unusable: { name: string, why: string }[] }>}
 * @throws Error where codejail or the plain spawn can't
 */
export async function tryAll(server, programs) {
  const usable = [];
  const unusable = [];
  for (const name of server.contenders) {
    try {
      for (const program of programs) {
        await server.call(name, program);
      }
      usable.push(name);
    } catch (error) {
      if (ESSENTIAL.includes(name)) {
        throw error;
      }
      unusable.push({ name, why: error.message });
    }
  }
  return { usable, unusable };
}
