// Runs a command on a simulated host.
import { spawn } from 'node:child_process';
import { root } from '../console.mjs';
import { environmentOf, OWN_NAMESPACES } from '../namespaces.mjs';

// The project lies where everybody can go. $1: the project, $2: a folder to write, $3: what else is to be done; then the
// command. The shell itself stays: as the first process it reaps the orphans of servers that are killed.
const PREPARE = `
set -e
mount -t tmpfs -o mode=755 mnt /mnt
mkdir /mnt/project /mnt/home
mount --bind "$1" /mnt/project
mount --bind "$2" /mnt/home
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=755 run /run
# Small numbers of processes could be a jail's own, and the probe leaves them out.
echo 1000 >/proc/sys/kernel/ns_last_pid
eval "$3"
cd /mnt/project
shift 3
set +e
"$@"
exit $?
`;

/** test/hosts/older_landlock.cc, compiled, by its name in the home of hosts. */
export const TRACER = 'older_landlock';

/**
 * @param {import('./plan.mjs').Host} host
 * @param {string} home the folder that the command may write, /mnt/home there
 * @param {readonly string[]} command
 * @returns {Promise<{ status: number | null, stdout: string, stderr: string }>}
 */
export function runOn(host, home, command) {
  const older = host.landlock === undefined ? [] : [`/mnt/home/${TRACER}`, String(host.landlock)];
  const words = [
    ...[...OWN_NAMESPACES, 'bash', '-c', PREPARE, 'bash', root, home, host.prepare ?? ':'],
    ...[...older, ...host.enter, ...command],
  ];
  const child = spawn('unshare', words, {
    env: { ...environmentOf('/mnt/home'), ...host.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, ...output });
    });
  });
}
