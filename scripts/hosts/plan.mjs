// The hosts that test:hosts simulates. A host is a chain of words that a command is run behind, in a mount and a PID
// namespace of its own; `prepare` is what a shell there does before, as root.

const CONTAINER = ['python3', 'test/support/stock_container.py'];
const LISTENER = ['python3', 'test/hosts/seccomp_listener.py'];
const USER = [
  'setpriv',
  ...['--reuid', '61234', '--regid', '61234', '--clear-groups', '--inh-caps=-all'],
];
const NO_CORE = ['prlimit', '--core=0:0'];

const HIDDEN = 'mount -o remount,hidepid=2 /proc';
const READ_ONLY = 'mount -o remount,ro /run && mount -o remount,ro /tmp';
const NO_SHARED_MEMORY = `
mkdir /mnt/dev
for each in null zero full random urandom tty; do
  touch /mnt/dev/$each
  mount --bind /dev/$each /mnt/dev/$each
done
ln -s /proc/self/fd /mnt/dev/fd
mount --rbind /mnt/dev /dev
`;
const corePattern = (pattern) => ({
  NODE_OPTIONS: '--require /mnt/project/test/hosts/core_pattern.cjs',
  SIMULATED_CORE_PATTERN: pattern,
});

// A profile names where the package lies, which is another place there.
const PROFILE = 'codejail-hosts-python';
const LOAD_PROFILE = `
"${process.execPath}" /mnt/project/dist/cli/codejail.js profile print --abi 3.0 --name ${PROFILE} /usr/bin/python3 |
  apparmor_parser --replace --skip-cache
`;

/** Landlock's versions that brought what jails use, and what came before each; 0: a kernel without. */
const LANDLOCK = [0, 1, 2, 3, 6, 7];

/**
 * @typedef {object} Host
 * @property {string} name
 * @property {string} is what it stands for
 * @property {readonly string[]} enter
 * @property {string} [prepare]
 * @property {number} [landlock] the version that its kernel has, at most
 * @property {'AppArmor' | 'cgroup v2'} [needs] what can't be simulated
 * @property {Record<string, string>} [env]
 * @property {{ profile?: string, allowExec?: boolean }} [python] how its Python is configured, else as everywhere
 */

const withAll = {
  name: 'root',
  is: 'a server as root, with the capabilities that it has here',
  enter: [],
};
const user = { name: 'user', is: 'a server as an ordinary user', enter: USER };
const container = {
  name: 'container',
  is: "root of a stock container: Docker's capabilities and filter",
  enter: CONTAINER,
};
const kinds = [withAll, user, container];

const onEach = (suffix, is, more, among = kinds) =>
  among.map((kind) => ({
    ...kind,
    ...more,
    name: `${kind.name}-${suffix}`,
    is: `${kind.name}: ${is}`,
  }));

const nested = kinds.map((kind) => ({
  ...kind,
  name: `${kind.name}-nested`,
  is: `${kind.name}: below a seccomp filter that has a listener`,
  // The filter takes a right that the container gives up.
  enter: kind === container ? [...LISTENER, ...kind.enter] : [...kind.enter, ...LISTENER],
}));

/** @type {readonly Host[]} */
export const hosts = [
  ...kinds,
  ...LANDLOCK.flatMap((landlock) =>
    onEach(
      `landlock-${landlock}`,
      landlock === 0 ? 'a kernel without Landlock' : `a kernel with Landlock ${landlock}`,
      { landlock },
      landlock <= 1 ? kinds : [container],
    ),
  ),
  ...onEach('hidepid', '/proc mounted with hidepid=2', { prepare: HIDDEN }),
  ...onEach(
    'hidepid-exec',
    'the same, and Python may execute programs',
    { prepare: HIDDEN, python: { allowExec: true } },
    [container],
  ),
  ...kinds.map((kind) => ({
    ...kind,
    name: `${kind.name}-no-core`,
    is: `${kind.name}: a hard RLIMIT_CORE of 0, crashes handled by a program`,
    enter: [...NO_CORE, ...kind.enter],
    env: corePattern('|/usr/bin/handler %P'),
  })),
  ...onEach(
    'core-socket',
    'crashes handled by a service',
    { env: corePattern('@/run/handler.socket') },
    [withAll],
  ),
  ...onEach('read-only', '/run and /tmp read-only', { prepare: READ_ONLY }),
  ...onEach('no-shm', 'no /dev/shm', { prepare: NO_SHARED_MEMORY }),
  ...nested,
  ...nested.map((host) => ({
    ...host,
    name: `${host.name}-exec`,
    is: `${host.is}, and Python may execute programs`,
    python: { allowExec: true },
  })),
  ...onEach('apparmor', 'and AppArmor', {
    needs: 'AppArmor',
    prepare: LOAD_PROFILE,
    python: { profile: PROFILE },
  }),
  ...onEach('cgroup', 'a cgroup to divide', { needs: 'cgroup v2' }, [withAll, container]),
];
