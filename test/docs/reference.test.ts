// What pages say of names and numbers is what the code has; what an editor shows of a public name stands alone.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMIT_DEFINITIONS, LIMIT_NAMES } from '../../lib/limits';
import { COLD_REASONS } from '../../lib/warm/rule';
import { ROOT } from './project';
import { publicMembers } from './public-members';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const sources = (readdirSync(join(ROOT, 'lib'), { recursive: true }) as string[])
  .filter((name) => /\.m?ts$/.test(name))
  .map((name) => `lib/${name}`);

const MEBIBYTE = 1024 * 1024;

/** A limit's default, as the table writes it. */
function written(value: number | string | null): string {
  if (value === null) return '';
  if (typeof value === 'string') return `as \`${value}\``;
  return value >= MEBIBYTE ? `${value / MEBIBYTE} MiB` : String(value);
}

describe('the documentation', () => {
  it('has each limit, with its default', () => {
    const rows = read('docs/limits.md').split('\n');
    const missing = LIMIT_NAMES.filter((name) => {
      const value = written(LIMIT_DEFINITIONS[name].default);
      const row = value === '' ? `| \`${name}\` | |` : `| \`${name}\` | ${value} |`;
      return !rows.some((line) => line.startsWith(row));
    });
    expect(missing).toEqual([]);
  });

  it('says of each error what to do', () => {
    const [, union = ''] = /JailErrorCode =([^;]*);/.exec(read('lib/errors.ts')) ?? [];
    const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(7);
    const page = read('docs/errors.md');
    expect(codes.filter((code) => !page.includes(`\n## ${code}\n`))).toEqual([]);
  });

  it('says of each reason why a call runs cold', () => {
    const page = read('docs/warm-python.md');
    const reasons = Object.keys(COLD_REASONS);
    expect(reasons.filter((reason) => !page.includes(`\`${reason}\``))).toEqual([]);
  });

  it('has the pages that messages name', () => {
    const named = sources.flatMap((path) => read(path).match(/docs\/[\w-]+\.\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('what is public', () => {
  const members = publicMembers([
    'index',
    'observability/prometheus',
    'observability/opentelemetry',
  ]);

  it('has an example: each function, class and method', () => {
    expect(members.length).toBeGreaterThan(50);
    const lacking = members.filter(({ tags }) => !tags.includes('example'));
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });

  it('is described for itself, and not as another', () => {
    const borrowed = members.filter(({ text }) => text === '' || text.startsWith('As `'));
    expect(borrowed.map(({ name }) => name)).toEqual([]);
  });
});
