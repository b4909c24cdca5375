// What a run has of its own that is beside others: suites look for what jails leave on the whole host.

/** For unshare(1): the words before the command. */
export const OWN_NAMESPACES = [
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  '--propagation',
  'private',
];

/** Nothing of the caller's own. */
export const environmentOf = (home) => ({
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  HOME: home,
  LANG: 'C.UTF-8',
  CI: 'true',
});
