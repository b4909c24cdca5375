// Limits that were reached, in words.
import { LIMIT_DEFINITIONS, type LimitName } from '../limits';
import type { Exceeded } from './result';

const UNITS = { seconds: ' s', bytes: ' bytes', count: '', switch: '' } as const;

const EXCEEDED: Partial<Record<LimitName, string>> = {
  cpu: 'it used more CPU time than',
  realtime: 'it ran longer than',
  memory: 'it used more memory than',
  vmem: 'it needed more address space than',
  fsize: 'it wrote a file larger than',
  disk: 'its files were larger together than',
  files: 'it made more files than',
  output: 'it printed, or left to be collected, more than',
};

function plain(name: LimitName, value: number): string {
  return `${value}${UNITS[LIMIT_DEFINITIONS[name].unit]} (the limit ${name})`;
}

/**
 * Why a program was ended: `it ran longer than 1 s (the limit realtime)`.
 * @param format how the limit's value is written
 */
export function explainExceeded(
  { limit, allowed, how }: Exceeded,
  format: (name: LimitName, value: number) => string = plain,
): string {
  const words = how === 'allocation' ? 'it asked for more memory than' : EXCEEDED[limit];
  return `${words ?? 'it used more than'} ${format(limit, allowed)}`;
}
