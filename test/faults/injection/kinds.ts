// The kinds of servers that faults are injected into, and what each is made to do.
import { join } from 'node:path';
import type { MatrixOptions } from './matrix';

/** A user that no other suite and no pool uses. */
const USER = 61_234;
const AS_USER = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
const IN_CONTAINER = ['python3', join(__dirname, '..', '..', 'support', 'stock_container.py')];

export interface Kind {
  title: string;
  options: MatrixOptions;
  /** The share of its plan that a run takes: each so-manyth fault. A quick one takes half of that. */
  every: number;
}

// Most of what a cell's system calls can do wrong, a cold jail's can too, and a template takes a second.
const SHARES = [
  { scenario: 'cold', asRoot: 1, asUser: 2 },
  { scenario: 'cell', asRoot: 4, asUser: 8 },
  { scenario: 'template', asRoot: 5, asUser: 8 },
];

/** Those that this user can take on. */
export function kinds(): Kind[] {
  if (process.getuid?.() !== 0) {
    return SHARES.map(({ scenario, asRoot }) => ({
      title: `${scenario}, ordinary user`,
      options: { scenario },
      every: asRoot,
    }));
  }
  return [
    ...SHARES.map(({ scenario, asRoot }) => ({
      title: `${scenario}, root`,
      options: { scenario },
      every: asRoot,
    })),
    ...SHARES.map(({ scenario, asUser }) => ({
      title: `${scenario}, ordinary user`,
      options: { scenario, as: AS_USER },
      every: asUser,
    })),
    { title: 'cold, no namespaces', options: { scenario: 'bare', as: IN_CONTAINER }, every: 3 },
  ];
}
