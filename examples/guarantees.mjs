// This host's guarantees, as lines for people.
import pico from 'picocolors';

function lineOf({ guarantee, cannot, missing }) {
  const name = guarantee.padEnd(9);
  if (missing === null) {
    return `  ${pico.green('✓')} ${pico.bold(name)} ${cannot}`;
  }
  return [
    `  ${pico.red('✗')} ${pico.bold(name)} ${cannot}`,
    `      missing: ${missing.why}`,
    `      cure:    ${missing.cure}`,
  ].join('\n');
}

/**
 * @param {import('codejail').HostReport} report
 * @returns {string} a heading, and one line for each guarantee
 */
export function guaranteesText({ kind, kernel, guarantees }) {
  const who = { root: 'as root', user: 'as an ordinary user', container: "as a container's root" }[
    kind
  ];
  return [
    pico.bold('Jailed code on this host cannot'),
    ...guarantees.map(lineOf),
    pico.dim(`  (${who}, Linux ${kernel}; each one was tried from inside a jail just now)`),
  ].join('\n');
}
