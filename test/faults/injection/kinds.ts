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
  /** The share of its plan that is injected before each change: each so-manyth fault. */
  every: number;
}

const SCENARIOS = ['cold', 'cell', 'template'];

/** Those that this user can take on. */
export function kinds(): Kind[] {
  if (process.getuid?.() !== 0) {
    return SCENARIOS.map((scenario) => ({
      title: `${scenario}, ordinary user`,
      options: { scenario },
      every: scenario === 'cold' ? 1 : 4,
    }));
  }
  return [
    ...SCENARIOS.map((scenario) => ({
      title: `${scenario}, root`,
      options: { scenario },
      every: scenario === 'cold' ? 1 : 5,
    })),
    ...SCENARIOS.map((scenario) => ({
      title: `${scenario}, ordinary user`,
      options: { scenario, as: AS_USER },
      every: scenario === 'cold' ? 2 : 11,
    })),
    { title: 'cold, no namespaces', options: { scenario: 'bare', as: IN_CONTAINER }, every: 3 },
  ];
}
