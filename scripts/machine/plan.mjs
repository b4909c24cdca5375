// Which suites run where AppArmor is. Two lanes, one for each processor, each with processes, /tmp and /run of
// its own, since the suites look for what jails leave on the whole host.

/** Runs of Jest: `suites` are its path patterns, `layers` what of the confinement is switched on (test/support/layers.ts). */
export const lanes = [
  {
    name: 'root',
    uid: 0,
    runs: [{ name: 'apparmor', suites: ['test/apparmor'] }],
  },
  {
    name: 'ordinary user',
    // Belongs to nobody: no passwd entry is needed.
    uid: 61_234,
    runs: [{ name: 'apparmor', suites: ['test/apparmor'] }],
  },
];
